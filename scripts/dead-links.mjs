/*
 * Finds links that lead nowhere, in the Markdown and HTML files that are named or lie in the folders that are: to a file
 * that is not there, or to a place that the file does not have. Links to elsewhere are left alone.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'

const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }

const KINDS = {
  '.html': {
    links: (text) => all(text, /\s(?:href|src)="([^"]*)"/g).map(unescaped),
    places: (text) => all(text, /\sid="([^"]*)"/g).map(unescaped),
  },
  '.md': {
    links: (text) => {
      const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
      return [...all(prose, /\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g), ...all(prose, /^\[[^\]]+\]:\s*(\S+)/gm)]
    },
    places: (text) => {
      const seen = new Map()
      return all(text.replace(/^```[\s\S]*?^```/gm, ''), /^#{1,6} +(.+?) *#*$/gm).map((heading) => {
        const slug = slugOf(heading)
        const before = seen.get(slug) ?? 0
        seen.set(slug, before + 1)
        return before === 0 ? slug : `${slug}-${before}`
      })
    },
  },
}

const files = (await Promise.all(process.argv.slice(2).map(filesIn))).flat()
const dead = []
let links = 0
const places = new Map()
for (const file of files) {
  for (const link of KINDS[extname(file)].links(await readFile(file, 'utf8'))) {
    // To another host, or made by a script of the page.
    if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(link)) continue
    links += 1
    const why = await flaw(file, link)
    if (why !== undefined) dead.push(`${file}: ${link} ${why}`)
  }
}
for (const line of dead) console.log(line)
console.log(`${links} links in ${files.length} files, ${dead.length} of them dead`)
process.exitCode = dead.length === 0 && links > 0 ? 0 : 1

/** Why a link of a file leads nowhere; undefined where it does not. */
async function flaw(file, link) {
  const [path = '', place] = link.split('#')
  const target = path === '' ? resolve(file) : resolve(dirname(file), decodeURIComponent(path.split('?')[0]))
  const found = await stat(target).catch(() => undefined)
  if (found === undefined) return 'is not there'
  if (place === undefined || place === '' || KINDS[extname(target)] === undefined) return undefined
  if (!places.has(target)) places.set(target, new Set(KINDS[extname(target)].places(await readFile(target, 'utf8'))))
  return places.get(target).has(decodeURIComponent(place)) ? undefined : 'has no such place'
}

async function filesIn(path) {
  if ((await stat(path)).isFile()) return [path]
  const found = await readdir(path, { recursive: true })
  return found.map((name) => join(path, name)).filter((name) => KINDS[extname(name)] !== undefined)
}

function all(text, pattern) {
  return [...text.matchAll(pattern)].map(([, found]) => found)
}

function unescaped(text) {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity])
}

/** As the hosts of repositories make the names of headings. */
function slugOf(heading) {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}
