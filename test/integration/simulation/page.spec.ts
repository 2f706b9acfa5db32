import assert from 'node:assert/strict'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { createRecorder, type RunRecorder } from '../../../src/simulation/record/index.js'
import type { Action } from '../../../src/simulation/scenario/index.js'
import { type RunningView, serveView } from '../../../src/simulation/view/index.js'
import { findChromium, NO_CHROMIUM, startChromium } from '../../support/chromium.js'
import { MadeUpRun, madeUpHeader, madeUpRecording } from '../../support/made-up-run.js'

describe('the page of the simulation', function () {
  this.timeout(60_000)
  let browser: Browser
  let view: RunningView | undefined
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

  beforeEach(() => {
    complaints = []
  })

  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close()
    await view?.close()
    view = undefined
    assert.deepEqual(complaints, [])
  })

  /** A page at an address, which must say nothing on its console: neither errors nor breaches of its policy. */
  async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options })).newPage()
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', ({ message }) => complaints.push(message))
    await page.goto(url)
    await page.waitForSelector('body[data-run]')
    return page
  }

  const text = async (page: Page, selector: string) => (await page.locator(selector).textContent()) ?? ''
  const fact = (page: Page, name: string, value: string | number) =>
    page.locator('#facts div', { hasText: new RegExp(`^${name}${value}$`) }).waitFor()

  /** @param part of the whole run */
  async function seek(page: Page, part: number): Promise<void> {
    const slider = page.locator('#seek')
    await slider.fill(String(part * Number(await slider.getAttribute('max'))))
  }

  describe('of a recorded run', () => {
    const options = { clusters: 6, blocks: 120 }

    it('tells what run it is, what it came to, and what was done', async () => {
      view = await serveView({ run: madeUpRecording(options) })
      const page = await open(view.url)
      assert.equal(await page.title(), 'A region is lost for an hour – slotmesh simulation')
      assert.match(await text(page, '#checks'), /✓ holds Every enclave holds what the chain lists/)
      await page.locator('#actions li').nth(1).waitFor()
      assert.match(await text(page, '#actions'), /15:54kill region, region south/)
      assert.equal(await page.locator('#inject').isVisible(), false)
      assert.equal(await page.getByRole('button', { name: 'Pause the run' }).count(), 0)
    })

    it('shows any moment: forwards, backwards, and at an action', async () => {
      view = await serveView({ run: madeUpRecording(options) })
      const page = await open(view.url)
      await page.locator('#grid').focus()
      await page.keyboard.press('End')
      await seek(page, 0.6)
      await page.getByText('c5-s0: killed').waitFor()
      await seek(page, 0.1)
      await page.getByText('c5-s0: running').waitFor()
      await seek(page, 1)
      await page.getByText('c5-s0: running, holds 53 of 53').waitFor()
      await page.getByRole('button', { name: /restart region/ }).click()
      await page.getByText('8:54 of').waitFor()
      assert.equal(await page.locator('#feed li').count(), 12)
    })

    it('plays from the beginning to the end', async () => {
      view = await serveView({ run: madeUpRecording({ clusters: 2, blocks: 10 }) })
      const page = await open(view.url)
      await page.getByLabel('Speed').selectOption('300')
      await page.getByRole('button', { name: 'Play' }).click()
      await page.getByText(/^0:5\d of 0:5\d$/).waitFor()
      await page.getByRole('button', { name: 'Play' }).waitFor()
    })

    it('is walked through with the keyboard, and says in words what is chosen', async () => {
      view = await serveView({ run: madeUpRecording(options) })
      const page = await open(view.url)
      await seek(page, 1)
      await page.locator('#grid').focus()
      for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown', 'Enter']) await page.keyboard.press(key)
      await page.getByRole('heading', { name: 'c2-s1' }).waitFor()
      assert.match(await text(page, '#inspector'), /53 of 53 \(100 %\)/)
      assert.equal(await page.locator('#cell').getAttribute('aria-live'), 'polite')
      await page.locator('summary').click()
      await page.getByRole('button', { name: 'c0-s0' }).click()
      await page.getByRole('heading', { name: 'c0-s0' }).waitFor()
    })

    it('shows a thousand clusters, and answers within a moment', async () => {
      view = await serveView({ run: madeUpRecording({ clusters: 1_000, blocks: 24, arrivalEvery: 4 }) })
      const page = await open(view.url)
      await fact(page, 'clusters', '1\u202f000')
      const before = Date.now()
      await seek(page, 0.7)
      await page.locator('#grid').click({ position: { x: 5, y: 5 } })
      await page.getByRole('heading', { name: 'c0-s0' }).waitFor()
      assert.ok(Date.now() - before < 5_000)
      const { height } = (await page.locator('#grid').boundingBox()) ?? { height: Number.NaN }
      assert.ok(height < 640, String(height))
    })

    it('says how it stands when it is drawn for a screen reader, in the dark and on a narrow screen, too', async () => {
      view = await serveView({ run: madeUpRecording(options) })
      const page = await open(view.url, { colorScheme: 'dark', viewport: { width: 400, height: 800 } })
      const label = (await page.locator('#track').getAttribute('aria-label')) ?? ''
      assert.match(label, /^The run over 11:\d\d: 53 shares synced, 2 actions, coverage now 100 %/)
      const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
      assert.ok(width <= 400, String(width))
    })
  })

  describe('of a run that goes on', () => {
    const options = { clusters: 3, blocks: 1_000, losesRegion: false }
    let recorder: RunRecorder
    let run: MadeUpRun
    let steps: string[]

    const blocks = (count: number) => {
      for (let block = 0; block < count; block += 1) run.nextBlock(recorder)
    }

    beforeEach(async () => {
      recorder = createRecorder(madeUpHeader(options))
      run = new MadeUpRun(options)
      steps = []
      view = await serveView({
        run: recorder,
        controls: {
          pause: () => steps.push('pause'),
          resume: () => steps.push('resume'),
          step: async () => {
            steps.push('step')
            blocks(1)
          },
          perform: async (action: Action) => {
            steps.push(JSON.stringify(action))
            recorder.record({ at: 60_000, type: 'action', action, text: action.type })
          },
          inspect: async (name) => run.inspect(name),
        },
      })
      blocks(3)
    })

    it('follows it, and tells when it is over', async () => {
      const page = await open(view?.url ?? '')
      await fact(page, 'block', 3)
      blocks(4)
      await fact(page, 'block', 7)
      assert.equal(await text(page, '#clock'), '0:36 of 0:36')
      recorder.finish(run.result)
      await page.getByText('What had to hold').waitFor()
      assert.equal(await page.getByRole('button', { name: 'Pause the run' }).isDisabled(), true)
    })

    it('stays at an earlier moment until the latest is asked for', async () => {
      const page = await open(view?.url ?? '')
      await seek(page, 0)
      blocks(4)
      await page.getByText('0:00 of 0:36').waitFor()
      await page.getByRole('button', { name: 'Latest' }).click()
      await page.getByText('0:36 of 0:36').waitFor()
    })

    it('pauses, steps and goes on, and every open page knows', async () => {
      const page = await open(view?.url ?? '')
      const other = await open(view?.url ?? '')
      assert.equal(await page.getByRole('button', { name: 'One block' }).isDisabled(), true)
      await page.getByRole('button', { name: 'Pause the run' }).click()
      await other.getByRole('button', { name: 'Resume the run' }).waitFor()
      await other.getByRole('button', { name: 'One block' }).click()
      await fact(page, 'block', 4)
      await page.getByRole('button', { name: 'Resume the run' }).click()
      await other.getByRole('button', { name: 'Pause the run' }).waitFor()
      assert.deepEqual(steps, ['pause', 'step', 'resume'])
    })

    it('does something to it, by a form made from the scenarios’ schema, and marks it', async () => {
      const page = await open(view?.url ?? '')
      await page.getByLabel('Action', { exact: true }).selectOption('slow')
      await page.getByRole('textbox', { name: 'Enclave' }).fill('c1-s2')
      await page.getByLabel('Latency').fill('250 ms')
      await page.getByRole('button', { name: 'Do it now' }).click()
      await page.getByText('Done.').waitFor()
      assert.deepEqual(
        steps.map((step) => JSON.parse(step)),
        [{ type: 'slow', enclave: { cluster: 1, slot: 2 }, latency: 250 }],
      )
      await page.locator('#actions li', { hasText: 'slow' }).waitFor()
    })

    it('says what is wrong with what was asked for', async () => {
      const page = await open(view?.url ?? '')
      await page.getByLabel('Action', { exact: true }).selectOption('kill')
      await page.getByRole('textbox', { name: 'Enclave' }).fill('the third one')
      await page.getByRole('button', { name: 'Do it now' }).click()
      await page.locator('#action-answer', { hasText: 'takes the name of an enclave such as c1-s2' }).waitFor()
      assert.deepEqual(steps, [])
      complaints = complaints.filter((text) => !text.includes('400'))
    })

    it('asks an enclave how it is', async () => {
      const page = await open(view?.url ?? '')
      await page.locator('#grid').focus()
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('Enter')
      await page.getByText('12D3KooWone, 12D3KooWtwo').waitFor()
      assert.match(await text(page, '#inspector'), /seat › cluster1/)
    })

    it('only shows when the key is missing in its address', async () => {
      const page = await open(view?.url.replace(/#.*/, '') ?? '')
      assert.equal(await page.getByRole('button', { name: 'Pause the run' }).count(), 0)
      assert.equal(await page.locator('#inject').isVisible(), false)
    })
  })
})
