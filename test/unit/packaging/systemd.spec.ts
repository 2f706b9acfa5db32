import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const UNIT = 'packaging/systemd/slotmesh.service'

describe('the systemd unit', () => {
  it('waits for longer than a node takes to end, and leaves no memory behind', async () => {
    const unit = await readFile(UNIT, 'utf8')
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? []
    assert.ok(Number(seconds) > 10)
    assert.match(unit, /^LimitCORE=0$/m)
    assert.match(unit, /^Restart=on-failure$/m)
  })

  it('passes systemd’s own check, where that is there', async function () {
    const folder = await mkdtemp(join(tmpdir(), 'slotmesh-unit-'))
    try {
      // The command it starts is not installed here.
      const unit = (await readFile(UNIT, 'utf8')).replace('/usr/local/bin/slotmesh', process.execPath)
      const path = join(folder, 'slotmesh.service')
      await writeFile(path, unit)
      const { error, status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
      if (error !== undefined) return this.skip()
      assert.deepEqual([stderr, status], ['', 0])
      await writeFile(path, unit.replace('RestartSec=5', 'RestartSeconds=5'))
      assert.match(
        spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' }).stderr,
        /RestartSeconds/,
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
