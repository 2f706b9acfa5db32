import { byId, element } from '../../web/page/dom.js'
import { count, duration } from '../../web/page/words.js'
import type { ClusterView, MeshMap, Messages, News, Overview, SeatView } from '../model/messages.js'
import { ago, CONDITIONS, clockTime, shortened, triggerText } from './words.js'

/** ms between two times that ages are written anew. */
const AGES_EVERY_MS = 5_000

/** ms by which the server's clock, from which ages are counted, is ahead of the page's. */
let skew = 0
/** As it was told last. */
let map: MeshMap = { clusters: [], left: 0 }

const serverNow = () => Date.now() + skew

/** Only what is another text is written: what is read aloud is not read again for nothing. */
function write(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

function showOverview(overview: Overview): void {
  skew = overview.at - Date.now()
  const { condition, who, progress, chain, exchanges, problems } = overview
  const { mark, headline, advice } = CONDITIONS[condition]
  const seat = who.seat === undefined ? 'without a seat' : `cluster ${who.seat.cluster}, slot ${who.seat.slot}`
  write(byId('title', HTMLHeadingElement), `Enclave ${seat}`)
  document.title = `${headline} – slotmesh node`
  write(byId('mark', HTMLSpanElement), mark)
  write(byId('condition', HTMLElement), headline)
  write(byId('advice', HTMLParagraphElement), advice(overview))
  document.body.dataset.condition = condition
  showPairs(byId('facts', HTMLDListElement), [
    ['final block', count(progress.finalised)],
    ['synced block', count(progress.synced)],
    ['secrets held', count(progress.held.secret)],
    ['capsules held', count(progress.held.capsule)],
    ['wanted', count(progress.wanted)],
    [
      'fetched from / gave to / failed',
      [exchanges.requested, exchanges.served, exchanges.failed].map(count).join(' / '),
    ],
  ])
  showPairs(byId('who', HTMLDListElement), [
    ['account', who.accountSs58],
    ['in hexadecimal', who.account],
    ['PeerId', who.peerId],
    ['addresses', who.multiaddrs.length === 0 ? 'none' : who.multiaddrs.join(', ')],
    [
      'chain',
      chain === undefined ? 'none yet' : `${chain.endpoint}, ${chain.isConnected ? 'connected' : 'not connected'}`,
    ],
    ['last final block', chain === undefined ? 'none yet' : ago(chain.finalisedAt, serverNow())],
  ])
  byId('problems', HTMLElement).hidden = problems.length === 0
  replaceIfOther(
    byId('problem-list', HTMLUListElement),
    problems.map(({ code, sentence }) => element('li', {}, element('strong', {}, code), ` ${sentence}`)),
  )
}

function showPairs(list: HTMLElement, pairs: readonly (readonly [string, string])[]): void {
  replaceIfOther(
    list,
    pairs.map(([name, value]) =>
      list.className === 'facts'
        ? element('div', {}, element('dt', {}, name), element('dd', {}, value))
        : element('div', { class: 'pair' }, element('dt', {}, name), element('dd', {}, value)),
    ),
  )
}

function showMap(): void {
  const { clusters, left } = map
  const slots = clusters[0]?.seats.map((_, slot) => element('th', { scope: 'col' }, `slot ${slot}`)) ?? []
  replaceIfOther(byId('map-head', HTMLTableRowElement), [element('th', { scope: 'col' }, 'cluster'), ...slots])
  replaceIfOther(byId('map-body', HTMLTableSectionElement), clusters.map(mapRow))
  write(byId('map-left', HTMLParagraphElement), left === 0 ? '' : `${count(left)} more clusters are not shown.`)
}

function mapRow({ id, isPublic, seats }: ClusterView): HTMLElement {
  const name = isPublic ? String(id) : `${id} (not public)`
  return element('tr', {}, element('th', { scope: 'row' }, name), ...seats.map(mapCell))
}

function mapCell(seat: SeatView | null): HTMLElement {
  if (seat === null) return element('td', { class: 'other' }, 'free')
  const title = shortened(seat.account)
  if (seat.relation === 'self') {
    return element('td', { class: 'own', title, 'aria-current': 'true' }, marked('◆', ''), ' this enclave')
  }
  if (seat.relation === 'other') return element('td', { class: 'other', title }, marked('·', 'another slot'))
  const attested = seat.attestedAt === undefined ? 'not yet' : ago(seat.attestedAt, serverNow())
  const [mark, words] = seat.isShut ? ['✕', 'shut out'] : seat.isConnected ? ['●', 'connected'] : ['○', 'not connected']
  return element('td', { title }, marked(mark, words), ` ${attested}`)
}

/** A sign for those who see it, words for those who hear it. */
function marked(mark: string, words: string): HTMLElement {
  const hidden = words === '' ? [] : [element('span', { class: 'hidden' }, words)]
  return element('span', {}, element('span', { 'aria-hidden': 'true' }, mark), ...hidden)
}

function showNews({ triggers, fetches }: News): void {
  const row = (at: number, ...cells: string[]) =>
    element('tr', {}, element('td', {}, clockTime(at)), ...cells.map((cell) => element('td', {}, cell)))
  byId('no-triggers', HTMLParagraphElement).hidden = triggers.length > 0
  byId('no-fetches', HTMLParagraphElement).hidden = fetches.length > 0
  replaceIfOther(
    byId('triggers', HTMLTableSectionElement),
    triggers.map((trigger) => row(trigger.at, count(trigger.block), triggerText(trigger))),
  )
  replaceIfOther(
    byId('fetches', HTMLTableSectionElement),
    fetches.map(({ at, kind, nftId, from, ms }) => row(at, `${kind} ${nftId}`, shortened(from), duration(ms))),
  )
}

/** Whoever is reading or has the focus there is not disturbed when nothing has changed. */
function replaceIfOther(target: HTMLElement, made: readonly HTMLElement[]): void {
  const probe = document.createElement(target.tagName)
  probe.append(...made)
  if (probe.innerHTML !== target.innerHTML) target.replaceChildren(...probe.childNodes)
}

function showTrouble(sentence: string | undefined): void {
  const trouble = byId('trouble', HTMLParagraphElement)
  trouble.hidden = sentence === undefined
  write(trouble, sentence ?? '')
}

function listen(): void {
  const source = new EventSource('/events')
  const on = <Name extends keyof Messages>(name: Name, show: (message: Messages[Name]) => void) =>
    source.addEventListener(name, ({ data }) => show(JSON.parse(data)))
  on('overview', (overview) => {
    showTrouble(undefined)
    showOverview(overview)
  })
  on('map', (news) => {
    map = news
    showMap()
    document.body.dataset.ready = 'yes'
  })
  on('news', showNews)
  source.addEventListener('error', () => showTrouble('The node does not answer; trying again.'))
}

// What scrolls can be scrolled by keys alone.
for (const part of document.querySelectorAll<HTMLElement>('.scroll')) part.tabIndex = 0
listen()
setInterval(showMap, AGES_EVERY_MS)
