import { readFile } from 'node:fs/promises'
import type { Target } from '../../../src/conformance/index.js'
import { type Fault, SmallPeer } from './small-peer.js'

/**
 * A peer as a process of its own: `peer-process <target file> [<fault>]`. It runs until it is terminated, or whoever started
 * it has ended, however that was.
 */
const [, , file = '', fault] = process.argv
const target: Target = JSON.parse(await readFile(file, 'utf8'))
const peer = await SmallPeer.start(target, fault as Fault | undefined)
process.once('SIGTERM', () => void peer.stop())
process.stdin.resume().once('end', () => process.exit(0))
// Once it is terminated nothing else keeps it.
process.stdin.unref()
