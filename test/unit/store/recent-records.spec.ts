import assert from 'node:assert/strict'
import { RecentRecords } from '../../../src/store/recent-records.js'

const nameOf = (at: number) => Uint8Array.of(0x22, 1, at >> 8, at & 255)

describe('what was written last', () => {
  it('is what each name was written with last, and nothing once it is deleted', () => {
    const recent = new RecentRecords()
    recent.written(nameOf(1), Uint8Array.of(1))
    recent.written(nameOf(2), Uint8Array.of(2))
    recent.written(nameOf(1), Uint8Array.of(3))
    assert.deepEqual([recent.get(nameOf(1)), recent.get(nameOf(2))], [Uint8Array.of(3), Uint8Array.of(2)])
    recent.written(nameOf(1), undefined)
    assert.equal(recent.get(nameOf(1)), undefined)
    recent.clear()
    assert.equal(recent.get(nameOf(2)), undefined)
  })

  it('goes with what is written in its place, though that is too large to be kept', () => {
    const recent = new RecentRecords()
    recent.written(nameOf(1), new Uint8Array(32_768))
    assert.equal(recent.get(nameOf(1))?.length, 32_768)
    recent.written(nameOf(1), new Uint8Array(32_769))
    assert.equal(recent.get(nameOf(1)), undefined)
  })

  it('is kept up to 2 MiB; what was written longest ago goes first, and room is made by what is deleted', () => {
    const recent = new RecentRecords()
    const kept = () => Array.from({ length: 600 }, (_, at) => at).filter((at) => recent.get(nameOf(at)) !== undefined)
    const write = (at: number) => recent.written(nameOf(at), new Uint8Array(7_936))
    // With what keeping takes, 256 fill it.
    for (let at = 0; at < 256; at += 1) write(at)
    assert.equal(kept().length, 256)
    write(0)
    write(256)
    assert.deepEqual(
      [recent.get(nameOf(0)) === undefined, recent.get(nameOf(1)), kept().length],
      [false, undefined, 256],
    )
    for (let at = 0; at < 100; at += 1) recent.written(nameOf(at), undefined)
    for (let at = 300; at < 390; at += 1) write(at)
    assert.equal(kept().length, 256 - 99 + 90)
    recent.clear()
    for (let at = 0; at < 256; at += 1) write(at)
    assert.equal(kept().length, 256)
  })
})
