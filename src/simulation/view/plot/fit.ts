/** `y = factor × x^exponent`, fitted to points on logarithmic scales by least squares. */
export interface PowerLaw {
  readonly factor: number
  readonly exponent: number
}

/** @returns undefined unless there are two different `x` among the points that are above zero. */
export function fitPowerLaw(points: readonly { readonly x: number; readonly y: number }[]): PowerLaw | undefined {
  const logs = points.filter(({ x, y }) => x > 0 && y > 0).map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }))
  if (new Set(logs.map(({ x }) => x)).size < 2) return undefined
  const mean = (pick: (point: { x: number; y: number }) => number) =>
    logs.reduce((sum, point) => sum + pick(point), 0) / logs.length
  const center = { x: mean(({ x }) => x), y: mean(({ y }) => y) }
  const covariance = mean(({ x, y }) => (x - center.x) * (y - center.y))
  const exponent = covariance / mean(({ x }) => (x - center.x) ** 2)
  return { factor: Math.exp(center.y - exponent * center.x), exponent }
}
