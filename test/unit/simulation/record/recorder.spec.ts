import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecorder, type RunEvent, readRun, samplesOf } from '../../../../src/simulation/record/index.js'
import { MadeUpRun, madeUpHeader, madeUpRecording } from '../../../support/made-up-run.js'

const STORED: RunEvent = {
  at: 1,
  type: 'stored',
  enclave: 'c0-s0',
  kind: 'secret',
  nftId: 1,
  from: 'c1-s0',
  ms: 10,
}

describe('the recorder of a run', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-test-'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  it('writes a file that reads back as what was recorded', async () => {
    const file = join(folder, 'new', 'a.run.jsonl')
    const recorded = madeUpRecording({ clusters: 4 }, { file })
    const { header, events, outcome } = await readRun(file)
    assert.deepEqual(header, recorded.header)
    assert.deepEqual(events, recorded.events)
    assert.deepEqual(outcome, recorded.outcome)
    assert.equal(outcome?.passed, true)
  })

  it('sums exchanges up by enclave, and tells good ones from failed ones', () => {
    const recorder = createRecorder(madeUpHeader({ clusters: 2 }))
    const exchange = { type: 'exchange', requester: 'c0-s0', provider: 'c1-s0', shares: 1, bytes: 100 } as const
    recorder.record({ ...exchange, at: 1, ms: 20 })
    recorder.record({ ...exchange, at: 2, ms: 5_000, code: 'BUSY' })
    const { nodes, distributions } = recorder.finish(new MadeUpRun({ clusters: 2 }).result)
    assert.deepEqual(nodes, {
      'c0-s0': { served: 0, requested: 2, failed: 1, bytesServed: 0, bytesReceived: 200 },
      'c1-s0': { served: 1, requested: 0, failed: 0, bytesServed: 200, bytesReceived: 0 },
    })
    assert.deepEqual([distributions.exchange.count, distributions.exchange.max], [1, 20])
  })

  it('takes no enclave that had nothing to fetch for one that caught up', () => {
    const recorder = createRecorder(madeUpHeader({ clusters: 1 }))
    recorder.record({ at: 1, type: 'caught-up', enclave: 'c0-s0', ms: 3, shares: 0 })
    recorder.record({ at: 9, type: 'caught-up', enclave: 'c0-s1', ms: 700, shares: 4 })
    const { catchUp } = recorder.finish(new MadeUpRun({ clusters: 1 }).result).distributions
    assert.deepEqual([catchUp.count, catchUp.max], [1, 700])
  })

  it('takes coverage and lag from samples', () => {
    const recorder = createRecorder(madeUpHeader({ clusters: 1 }))
    const enclaves = {
      'c0-s0': { held: 4, wanted: 0, lag: 0 },
      'c0-s1': { held: 1, wanted: 3, lag: 7 },
      // What is burned may be held a little longer than it is listed.
      'c0-s2': { held: 5, wanted: 0, lag: 1 },
    }
    recorder.record({ at: 9, type: 'sample', listed: 4, enclaves })
    const { coverage, lag } = recorder.finish(new MadeUpRun({ clusters: 1 }).result)
    assert.deepEqual(coverage, [{ at: 9, due: 12, held: 9 }])
    assert.deepEqual(lag, [{ at: 9, median: 1, worst: 7 }])
  })

  it('names in a sample those alone that lack something, and gives all of them back', () => {
    const recorder = createRecorder(madeUpHeader({ clusters: 1_000 }))
    const enclaves = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [
        `c${index % 1_000}-s${Math.floor(index / 1_000)}`,
        index % 1_000,
      ]).map(([name, cluster]) => [name, { held: 4, wanted: cluster === 499 ? 1 : 0, lag: cluster === 500 ? 1 : 0 }]),
    )
    recorder.record({ at: 9, type: 'sample', listed: 4, enclaves })
    const [event] = recorder.events
    assert.ok(event?.type === 'sample')
    assert.deepEqual(event.complete, Array<string>(5).fill('0-498,501-999'))
    assert.equal(Object.keys(event.enclaves).length, 10)
    assert.deepEqual(Object.fromEntries(samplesOf(event)), enclaves)
  })

  it('tells listeners what was, what happens, and that it is over', () => {
    const recorder = createRecorder(madeUpHeader({ clusters: 1 }))
    const early: RunEvent[] = []
    const late: RunEvent[] = []
    let endings = 0
    recorder.record(STORED)
    recorder.subscribe({ event: (event) => early.push(event), ended: () => (endings += 1) })
    recorder.record({ ...STORED, at: 2 })
    const leave = recorder.subscribe({ event: (event) => late.push(event) }, { replay: false })
    recorder.record({ ...STORED, at: 3 })
    leave()
    recorder.record({ ...STORED, at: 4 })
    recorder.finish(new MadeUpRun({ clusters: 1 }).result)
    recorder.subscribe({ event: () => undefined, ended: () => (endings += 1) })
    assert.deepEqual(
      early.map(({ at }) => at),
      [1, 2, 3, 4],
    )
    assert.deepEqual(
      late.map(({ at }) => at),
      [3],
    )
    assert.equal(endings, 2)
  })

  it('counts what is too much to keep, and still tells it and sums it up', () => {
    const recorder = createRecorder(madeUpHeader({ clusters: 1 }))
    let told = 0
    recorder.subscribe({ event: () => (told += 1) })
    for (let count = 0; count < 200_010; count += 1) recorder.record(STORED)
    recorder.record({ at: 2, type: 'note', text: 'still room for others' })
    const { leftOut, distributions } = recorder.finish(new MadeUpRun({ clusters: 1 }).result)
    assert.equal(recorder.events.length, 200_001)
    assert.equal(told, 200_011)
    assert.deepEqual(leftOut, { stored: 10 })
    assert.equal(distributions.replication.count, 200_010)
  })

  it('says where it cannot write', () => {
    assert.throws(() => createRecorder(madeUpHeader({ clusters: 1 }), { file: folder }), {
      code: 'simulation/run-file',
      message: new RegExp(`^The run could not be written to ${folder}: .*Choose a file that is writable\\.$`),
    })
  })

  it('says at the end when the disk was full', function () {
    if (process.platform !== 'linux') this.skip()
    const recorder = createRecorder(madeUpHeader({ clusters: 1 }), { file: '/dev/full' })
    recorder.record(STORED)
    assert.throws(() => recorder.finish(new MadeUpRun({ clusters: 1 }).result), { code: 'simulation/run-file' })
    assert.equal(recorder.outcome?.passed, true)
  })

  describe('reading', () => {
    let file: string
    let lines: string[]

    beforeEach(async () => {
      file = join(folder, 'a.run.jsonl')
      madeUpRecording({ clusters: 2, blocks: 8 }, { file })
      lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
    })

    it('reads a run that was cut short, in the middle of a line even', async () => {
      await writeFile(file, `${lines.slice(0, 9).join('\n')}\n${lines[9]?.slice(0, 20)}`)
      const { events, outcome } = await readRun(file)
      assert.equal(events.length, 8)
      assert.equal(outcome, undefined)
    })

    it('says in which line a file is damaged', async () => {
      for (const [line, text] of [
        [5, 'nonsense'],
        [6, '{"at":1,"type":"stored"}'],
        [7, lines.at(-1)],
      ] as const) {
        await writeFile(file, `${lines.with(line - 1, text ?? '').join('\n')}\n`)
        const at = line === 7 ? 8 : line
        const message = `The run ${file} is damaged: line ${at} is no event of a run. Record the run again, or end the file before that line.`
        await assert.rejects(readRun(file), { code: 'simulation/run-damaged', message })
      }
    })

    it('says of a foreign file that it is no run', async () => {
      for (const content of ['', 'x', '{}\n', `${'x'.repeat(9_000_000)}`, Buffer.from([0xff, 0x00, 0x0a])]) {
        await writeFile(file, content)
        await assert.rejects(readRun(file), {
          code: 'simulation/not-a-run',
          message: /^The file .* is no recorded run/,
        })
      }
    })

    it('says when there is no such file', async () => {
      await assert.rejects(readRun(join(folder, 'none')), { code: 'simulation/run-unreadable', message: /ENOENT/ })
    })
  })
})
