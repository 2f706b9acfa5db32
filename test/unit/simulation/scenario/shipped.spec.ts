import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { findScenario, nameOf, scenarioSchema, shippedScenarios } from '../../../../src/simulation/scenario/index.js'

describe('the scenarios that come with the package', () => {
  it('can all be read, are more than a dozen, and each says in one sentence why', async () => {
    const shipped = await shippedScenarios()
    assert.ok(shipped.length >= 13)
    for (const { name, scenario } of shipped) {
      assert.match(scenario.why, /^[A-Z][^.]*\.$/, name)
      assert.equal(new Set(shipped.map((each) => each.scenario.title)).size, shipped.length)
    }
  })

  it('name only enclaves that there are by then, or that are to come', async () => {
    for (const { name, scenario } of await shippedScenarios()) {
      let clusters = scenario.clusters
      for (const { do: action } of scenario.timeline) {
        if (action.type === 'add-cluster' || action.type === 'impostor') clusters += 1
        if ('enclave' in action) assert.ok(action.enclave.cluster < clusters, `${name}: ${nameOf(action.enclave)}`)
        if ('region' in action) assert.ok(action.region === '*' || action.region in scenario.regions, name)
      }
    }
  })

  it('have a schema beside them, by which editors help, made of the one that reads them', async () => {
    const folder = 'examples/scenarios'
    const kept: unknown = JSON.parse(await readFile(`${folder}/scenario.schema.json`, 'utf8'))
    assert.deepEqual(kept, JSON.parse(JSON.stringify(scenarioSchema())), 'npm run schema makes it anew')
    for (const file of (await readdir(folder)).filter((each) => each.endsWith('.yaml'))) {
      const [first] = (await readFile(`${folder}/${file}`, 'utf8')).split('\n')
      assert.equal(first, '# yaml-language-server: $schema=./scenario.schema.json', file)
    }
  })

  it('are found by name, and files by path; others are refused with what there is', async () => {
    const { name, scenario } = await findScenario('examples/scenarios/power-cut.yaml')
    assert.deepEqual([name, scenario], ['power-cut', (await findScenario('power-cut')).scenario])
    await assert.rejects(findScenario('the-moon'), { code: 'simulation/unknown-scenario', message: /power-cut/ })
  })

  it('have regions of one cluster, with and without quotes', async () => {
    const { scenario } = await findScenario('partition-and-heal')
    assert.deepEqual(scenario.regions, { east: { first: 0, last: 0 }, west: { first: 1, last: 1 } })
  })
})
