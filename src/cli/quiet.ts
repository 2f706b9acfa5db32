// The commands say what there is to say; libraries that write to the console by themselves are heard when debugging.
if (!process.env.SLOTMESH_DEBUG) {
  for (const level of ['log', 'info', 'warn', 'error'] as const) console[level] = () => undefined
}
