import { Assets } from '../../../web/index.js'

/** Compiled for browsers, together with what the page shares with the rest of the simulation. */
export const ASSETS = new Assets(
  'simulation/view/page/page.html',
  /^\/simulation\/(?:view\/page|view\/model|record)\/[a-z-]+\.(?:js|css)$/,
)
