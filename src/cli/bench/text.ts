import type { BenchReport, SizeFigures } from './bench.js'
import type { Estimate } from './estimate.js'

/** What a person reads. */
export function benchText({ machine, folder, signatures, quotes, sizes }: BenchReport): string {
  const { processor, cores, memoryGiB, node } = machine
  return [
    `${processor}, ${cores} cores, ${memoryGiB} GiB, Node ${node}; the disk is that of ${folder}`,
    '',
    line('signatures made', `${rate(signatures.made)} /s`),
    line('signatures checked', `${rate(signatures.checked)} /s`),
    line('quotes verified, of a new platform', `${rate(quotes.cold)} /s`),
    line('quotes verified, of a known platform', `${rate(quotes.warm)} /s`),
    ...sizes.flatMap(linesOf),
    '',
    ...sizes.map(({ bytes, setup }) => sentenceOf(bytes, setup)),
    '',
  ].join('\n')
}

function linesOf({ bytes, store, exchange }: SizeFigures): string[] {
  const of = `shares of ${bytes} bytes`
  return [
    line(`${of} written`, `${rate(store.written)} /s  ${megabytes(store.writtenMegabytes)}`),
    line(`${of} read`, `${rate(store.read)} /s`),
    line(`${of} exchanged`, `${rate(exchange.shares)} /s  ${megabytes(exchange.megabytes)}`),
    line(`${of}: handshake`, `${exchange.handshakeMs.toFixed(0).padStart(9)} ms`),
  ]
}

const BOTTLENECKS = {
  attestation: 'the handshakes, of which the processor makes and verifies the quotes',
  exchange: 'the exchange, which is the processor’s work as long as the network takes its megabytes',
  store: 'the store, that is the disk and the sealing',
} as const satisfies Record<Estimate['bottleneck'], string>

function sentenceOf(bytes: number, { shares, seconds, bottleneck, parts }: Estimate): string {
  const most = `${duration(parts[bottleneck])} of it for ${BOTTLENECKS[bottleneck]}`
  return `A setup with ${shares} shares of ${bytes} bytes would take about ${duration(seconds)}, ${most}.`
}

function line(name: string, figure: string): string {
  return `${name.padEnd(38)}${figure}`
}

function rate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0).padStart(9)
}

function megabytes(perSecond: number): string {
  return `${perSecond.toFixed(1)} MB/s`
}

/** In one unit. */
function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  return seconds < 6_000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}
