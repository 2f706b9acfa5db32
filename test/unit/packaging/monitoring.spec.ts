import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { parser } from '@prometheus-io/lezer-promql'
import { parse } from 'yaml'
import { z } from 'zod'
import { createMetrics } from '../../../src/metrics/index.js'
import { MadeUpNode } from '../../support/made-up-node.js'

const FOLDER = 'packaging/monitoring'

const Rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Slotmesh[A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[smhd]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({ summary: z.string().min(20), action: z.string().min(60) }),
        }),
      ),
    }),
  ),
})

const Dashboard = z.object({
  title: z.string(),
  panels: z.array(
    z.object({
      id: z.int(),
      title: z.string(),
      description: z.string().min(2),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).min(1),
    }),
  ),
})

/** The names of metrics in an expression, and of the labels that each is chosen by. */
function metricsIn(expression: string): { name: string; labels: string[] }[] {
  const found: { name: string; labels: string[] }[] = []
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      assert.ok(!type.isError, `${expression} is no PromQL at ${from}`)
      const text = expression.slice(from, to)
      if (type.name === 'VectorSelector') found.push({ name: /^[\w:]+/.exec(text)?.[0] ?? '', labels: [] })
      if (type.name === 'LabelName' && expression[to]?.match(/[=!]/)) found.at(-1)?.labels.push(text)
    },
  })
  return found
}

describe('what is handed to Prometheus and Grafana', () => {
  let rules: z.infer<typeof Rules>['groups'][number]['rules']
  let dashboard: z.infer<typeof Dashboard>
  let known: Set<string>
  let labelled: string

  before(async () => {
    rules = Rules.parse(parse(await readFile(`${FOLDER}/alerts.yaml`, 'utf8'))).groups.flatMap((group) => group.rules)
    dashboard = Dashboard.parse(JSON.parse(await readFile(`${FOLDER}/dashboard.json`, 'utf8')))
    const metrics = createMetrics()
    metrics.watch(new MadeUpNode())
    labelled = await readFile('src/metrics/node-metrics.ts', 'utf8')
    // Of what each scrape has, whatever is scraped.
    known = new Set([
      'up',
      ...metrics.names().flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]),
    ])
  })

  /** Each exists, and is chosen by labels that metrics of a node have. */
  function requireKnown(expression: string): void {
    const used = metricsIn(expression)
    assert.ok(used.length > 0, expression)
    for (const { name, labels } of used) {
      assert.ok(known.has(name), `${name} in ${expression}`)
      for (const label of labels) {
        assert.ok(['instance', 'job'].includes(label) || labelled.includes(`'${label}'`), `${label} in ${expression}`)
      }
    }
  }

  it('is alerts by metrics that there are, each with what there is to do', () => {
    assert.ok(rules.length > 10)
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
    for (const { expr, annotations } of rules) {
      requireKnown(expr)
      for (const text of Object.values(annotations)) assert.match(text, /\.$/, text)
    }
  })

  it('is a dashboard of metrics that there are, whose panels do not lie over each other', () => {
    const taken = new Set<string>()
    for (const { title, gridPos, targets } of dashboard.panels) {
      for (const { expr } of targets) requireKnown(expr)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.ok(x < 24 && !taken.has(`${x}/${y}`), title)
          taken.add(`${x}/${y}`)
        }
      }
    }
    const ids = dashboard.panels.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
  })

  it('names no metric that is not there, or is written wrong', () => {
    assert.throws(() => requireKnown('slotmesh_sync_lag > 1'), /slotmesh_sync_lag in/)
    assert.throws(() => requireKnown('slotmesh_state{colour="red"}'), /colour in/)
    assert.throws(() => requireKnown('sum by (instance (slotmesh_state)'), /is no PromQL/)
  })

  it('is told of in docs/monitoring.md, metric by metric', async () => {
    const page = await readFile('docs/monitoring.md', 'utf8')
    const listed = new Set([...page.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name))
    const own = createMetrics()
      .names()
      .filter((name) => !name.startsWith('libp2p_'))
    assert.deepEqual([...listed].sort(), own.sort())
  })

  it('passes Prometheus’ own check, where promtool is there', function () {
    const { error, status, stderr } = spawnSync('promtool', ['check', 'rules', `${FOLDER}/alerts.yaml`], {
      encoding: 'utf8',
    })
    if (error !== undefined) return this.skip()
    assert.equal(status, 0, stderr)
  })
})
