import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { silentLogger } from '../../../src/domain/index.js'
import type { NodeStatus } from '../../../src/node/index.js'
import { type RunningStatusPage, serveStatusPage } from '../../../src/status-page/index.js'
import { findChromium, NO_CHROMIUM, startChromium } from '../../support/chromium.js'
import { account, MadeUpNode, madeUpChain, madeUpStatus } from '../../support/made-up-node.js'

/** Screenshots for people to look at are left here, if it is set. */
const SCREENSHOTS = process.env.SLOTMESH_SCREENSHOTS

function serve(node: MadeUpNode): Promise<RunningStatusPage> {
  const listen = { host: '127.0.0.1', port: 0 }
  return serveStatusPage({ node, listen, names: ['node-a'], logger: silentLogger, lookEveryMs: 20 })
}

function seat(number: number, cluster: number, slot: number) {
  return { account: account(number), operator: account(9), cluster, slot, apiUri: '' }
}

/** In cluster 0, slot 1, with three peers of which each stands otherwise. */
function seatedNode(): MadeUpNode {
  const node = new MadeUpNode()
  node.seats = [seat(1, 0, 1), seat(2, 1, 1), seat(3, 2, 1), seat(4, 3, 1), seat(5, 1, 0)]
  const peer = { peerId: 'other', isConnected: true, isShut: false, attestedAt: Date.now() - 120_000 }
  const lastExchange = undefined
  node.slotPeers = [
    { ...seat(2, 1, 1), ...peer, lastExchange },
    { ...seat(3, 2, 1), ...peer, isConnected: false, attestedAt: undefined, lastExchange },
    { ...seat(4, 3, 1), ...peer, isShut: true, lastExchange },
  ]
  node.shown = madeUpStatus({ chain: madeUpChain() })
  return node
}

describe('the server of the status page', () => {
  let page: RunningStatusPage

  beforeEach(async () => {
    page = await serve(seatedNode())
  })

  afterEach(() => page.close())

  function ask(
    path: string,
    { method = 'GET', headers = {} } = {},
  ): Promise<{ status: number; text: string; policy: string }> {
    const { hostname, port } = new URL(page.url)
    return new Promise((resolve, reject) => {
      const asked = request({ hostname, port, path, method, headers }, async (response) => {
        let text = ''
        for await (const part of response.setEncoding('utf8')) text += part
        const policy = String(response.headers['content-security-policy'])
        resolve({ status: response.statusCode ?? 0, text, policy })
      })
      asked.on('error', reject)
      asked.end()
    })
  }

  it('serves the page and what it loads, with a policy that lets nothing else in', async () => {
    for (const path of [
      '/',
      '/status-page/page/main.js',
      '/status-page/page/page.css',
      '/web/page/dom.js',
      '/web/page/base.css',
    ]) {
      const { status, policy } = await ask(path)
      assert.equal(status, 200, path)
      assert.match(policy, /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/)
      assert.doesNotMatch(policy, /unsafe/)
    }
    assert.doesNotMatch((await ask('/')).text, /<style|style=|<script(?! type="module" src=)| on\w+=/)
  })

  it('serves nothing else, changes nothing, and answers nobody who reached it by another name', async () => {
    for (const path of [
      '/package.json',
      '/status-page/serve.js',
      '/status-page/page/../serve.js',
      '/web/server.js',
      '/cli/main.js',
    ]) {
      assert.equal((await ask(path)).status, 404, path)
    }
    assert.equal((await ask('/', { method: 'POST' })).status, 405)
    for (const path of ['/', '/events', '/status.json']) {
      assert.equal((await ask(path, { headers: { host: 'elsewhere.example' } })).status, 403)
    }
    assert.equal((await ask('/', { headers: { host: 'node-a:80' } })).status, 200)
  })

  it('gives the same as data', async () => {
    const { status, text } = await ask('/status.json')
    const { condition, clusters, triggers } = JSON.parse(text)
    assert.deepEqual([status, condition, clusters.length, triggers], [200, 'running', 4, []])
  })

  it('says which port cannot be had', async () => {
    const listen = { host: '127.0.0.1', port: Number(new URL(page.url).port) }
    const second = serveStatusPage({ node: new MadeUpNode(), listen, logger: silentLogger })
    await assert.rejects(second, { code: 'web/cannot-listen', message: /EADDRINUSE/ })
  })
})

describe('the status page', function () {
  this.timeout(60_000)
  let browser: Browser
  let node: MadeUpNode
  let served: RunningStatusPage | undefined
  let complaints: string[]

  before(async function () {
    const path = findChromium()
    if (path === undefined) {
      process.stderr.write(`${NO_CHROMIUM}\n`)
      return this.skip()
    }
    browser = await startChromium(path)
  })

  after(() => browser?.close())

  beforeEach(async () => {
    complaints = []
    node = seatedNode()
  })

  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close()
    await served?.close()
    served = undefined
    assert.deepEqual(complaints, [])
  })

  /** A page, which must say nothing on its console: neither errors nor breaches of its policy. */
  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    served = await serve(node)
    const page = await (await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options })).newPage()
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', ({ message }) => complaints.push(message))
    await page.goto(served.url)
    await page.waitForSelector('body[data-ready]')
    return page
  }

  const text = async (page: Page, selector: string) =>
    ((await page.locator(selector).textContent()) ?? '').replace(/\s+/g, ' ')

  const lost = { code: 'chain/unreachable', sentence: 'There is no connection to the chain since noon.' }
  const states: readonly { name: string; changes: Partial<NodeStatus>; says: RegExp }[] = [
    {
      name: 'joining',
      changes: { state: 'unregistered', seat: undefined },
      says: /waiting for a seat .*operator registers it/,
    },
    {
      name: 'setup',
      changes: { state: 'setup', wantsOpen: 1_400 },
      says: /Setting up.* 27 shares are held and 1\s400 are still wanted/,
    },
    { name: 'running', changes: {}, says: /Running: in step with the chain/ },
    {
      name: 'behind',
      changes: { finalisedBlock: 170, wantsOpen: 3 },
      says: /behind the chain 50 blocks behind, 3 shares wanted/,
    },
    { name: 'stopped', changes: { state: 'stopped' }, says: /Stopped The node has stopped/ },
    {
      name: 'chain-lost',
      changes: { problems: [lost] },
      says: /The chain is lost Nothing new is heard from ws:\/\/127.0.0.1:9944/,
    },
  ]
  for (const { name, changes, says } of states) {
    it(`says in words what to make of a node that is ${name}`, async () => {
      node.shown = { ...node.shown, ...changes }
      const page = await open()
      assert.match(await text(page, '[role=status]'), says)
      assert.equal(await page.getAttribute('body', 'data-condition'), name)
      assert.equal(await page.locator('#problems').isVisible(), changes.problems !== undefined)
      // What is painted is looked at as well: not one colour, and nothing beyond the edge.
      const picture = await page.screenshot({ fullPage: true })
      assert.ok(picture.length > 10_000, String(picture.length))
      assert.ok(Number(await page.evaluate('document.documentElement.scrollWidth')) <= 1_200)
      if (SCREENSHOTS !== undefined) {
        await mkdir(SCREENSHOTS, { recursive: true })
        await writeFile(`${SCREENSHOTS}/status-${name}.png`, picture)
      }
    })
  }

  it('has a map on which each peer says when it has proved itself, in words as well as signs', async () => {
    const page = await open()
    const rows = await page.locator('#map-body tr').allInnerTexts()
    const spoken = await page.locator('#map-body tr').allTextContents()
    assert.equal(rows.length, 4)
    assert.match(spoken[0] ?? '', /^0.*◆ this enclave/)
    assert.match(spoken[1] ?? '', /^1·another slot●connected 2 min ago/)
    assert.match(spoken[2] ?? '', /○not connected not yet/)
    assert.match(spoken[3] ?? '', /✕shut out/)
    assert.equal(await page.locator('td[aria-current=true]').count(), 1)
  })

  it('goes on with the node, without being loaded again', async () => {
    const page = await open()
    node.shown = { ...node.shown, state: 'setup', wantsOpen: 5 }
    await page.getByText('Setting up').waitFor()
    const triggers = [{ type: 'synced', kind: 'capsule', nftId: 77, cluster: 3 }] as const
    node.tell({ type: 'triggers', block: 123, triggers, at: Date.now() })
    const key = { kind: 'capsule', nftId: 77 } as const
    node.tell({ type: 'share-stored', key, version: 123, from: account(4), origin: 3, triggeredAt: 0, at: 1_500 })
    await page.getByText('capsule 77 synced by cluster 3').waitFor()
    await page.getByRole('row', { name: /capsule 77 0x040404…0404 1.5 s/ }).waitFor()
    assert.equal(await page.locator('#no-triggers').isVisible(), false)
  })

  it('says when the node does not answer any more', async () => {
    const page = await open()
    await served?.close()
    await page.getByRole('alert').getByText('The node does not answer').waitFor()
    complaints = complaints.filter((each) => !/ERR_|Failed to load/.test(each))
  })

  it('is read by landmarks, headings and tables, and tells changes politely', async () => {
    const page = await open()
    for (const role of ['banner', 'main', 'status'] as const) assert.equal(await page.getByRole(role).count(), 1, role)
    const titles = ['Clusters and slots', 'Who this is', 'What blocks have brought', 'Shares fetched']
    for (const name of titles) await page.getByRole('region', { name, exact: true }).first().waitFor()
    assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Enclave cluster 0, slot 1')
    assert.equal(await page.getByRole('status').getAttribute('aria-live'), 'polite')
    assert.equal(await page.getByRole('columnheader', { name: 'slot 4' }).count(), 1)
    assert.equal(await page.getByRole('rowheader', { name: '3' }).count(), 1)
    assert.equal(await page.locator('table').count(), await page.locator('table > caption').count())
    // Of what is read aloud nothing is written again while nothing changes.
    await page.evaluate(`new MutationObserver(() => { document.body.dataset.rewritten = 'yes' })
      .observe(document.querySelector('[role=status]'), { childList: true, characterData: true, subtree: true })`)
    const before = await text(page, '#facts')
    node.shown = { ...node.shown, syncedBlock: 121 }
    await page.locator('#facts', { hasText: 'synced block121' }).waitFor()
    assert.notEqual(await text(page, '#facts'), before)
    assert.equal(await page.getAttribute('body', 'data-rewritten'), null)
  })

  it('is walked through with the keyboard, and shows where the focus is', async () => {
    const page = await open()
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.className'), 'skip')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate('document.activeElement.id'), 'map-title')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-label")'), 'Map of clusters and slots')
    assert.equal(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'solid')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has text with enough contrast, where it is ${colorScheme}, and fits a narrow screen`, async () => {
      node.shown = { ...node.shown, problems: [lost] }
      const page = await open({ colorScheme, viewport: { width: 380, height: 800 } })
      const ratios: { text: string; ratio: number }[] = await page.evaluate(CONTRASTS)
      assert.ok(ratios.length > 20)
      assert.deepEqual(
        ratios.filter(({ ratio }) => ratio < 4.5),
        [],
      )
      assert.ok(Number(await page.evaluate('document.documentElement.scrollWidth')) <= 380)
    })
  }
})

/** Of all text that is shown: its contrast (WCAG 2) with the nearest background that is painted. In the page. */
const CONTRASTS = `(() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number)
  const light = (text) => {
    const [red, green, blue] = channels(text).map((value) => {
      const part = value / 255
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const ground = (element) => {
    const { backgroundColor } = getComputedStyle(element)
    const [, , , alpha = 1] = channels(backgroundColor)
    return alpha === 0 && element.parentElement ? ground(element.parentElement) : backgroundColor
  }
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { parentElement: element, textContent } = walker.currentNode
    if (textContent.trim() === '' || !element.checkVisibility() || element.closest('.hidden, caption, .skip, noscript, script')) continue
    const [one, other] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a)
    found.push({ text: textContent.trim(), ratio: (one + 0.05) / (other + 0.05) })
  }
  return found
})()`
