import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

describe('examples/embed-a-node.mjs', function () {
  this.timeout(90_000)

  it('sees the share arrive at the slot peer, and ends by itself', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['examples/embed-a-node.mjs'])
    assert.match(stdout, /^The share of NFT \d+ reached slot 0 of cluster 1 \d+ ms after its trigger\.\n/)
    assert.match(stdout, /\nIt is the same share\.\n$/)
  })
})
