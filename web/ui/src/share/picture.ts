// A drawing of the page as a picture of its own: every style that it takes from the page is written into it, with a title and a ground.
// So it looks the same in any viewer. SVG as text, PNG from it; nothing is fetched.

const STYLES = [
  'fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin', 'paint-order', 'opacity',
  'font-family', 'font-size', 'font-weight', 'text-anchor',
] as const
const KEPT = /^(x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|d|width|height|transform|viewBox|text-anchor)$/
const DRAWN = new Set(['g', 'path', 'rect', 'circle', 'line', 'text', 'tspan', 'title'])
const SVG = 'http://www.w3.org/2000/svg'
const HEAD = 36 // room above for the title
const MARGIN = 12
const LARGEST = 16_000 // pixels: beyond, a canvas draws nothing

export interface Picture { svg: string; width: number; height: number }

function made(name: string, attributes: { [name: string]: string | number }, words = ''): SVGElement {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  element.textContent = words
  return element
}

/** A copy that needs no style sheet; what is not drawn is left out. */
function copy(from: Element, inherited: { [name: string]: string }): SVGElement | null {
  if (!DRAWN.has(from.localName)) return null
  const to = document.createElementNS(SVG, from.localName)
  for (const { name, value } of from.attributes) if (KEPT.test(name)) to.setAttribute(name, value)
  const moved = (from as SVGElement).style.transform // what glides on the page is moved by its style
  if (moved) to.setAttribute('transform', moved.replaceAll('px', ''))
  const styles = getComputedStyle(from)
  if (styles.display === 'none' || styles.visibility === 'hidden') return null
  const mine = Object.fromEntries(STYLES.map((name) => [name, styles.getPropertyValue(name)]))
  if (from.localName !== 'title') for (const name of STYLES) if (mine[name] && mine[name] !== inherited[name]) to.style.setProperty(name, mine[name] ?? '')
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) to.append(child.textContent ?? '')
    else if (child instanceof Element) to.append(...[copy(child, mine)].filter((one) => one !== null))
  }
  return to
}

/** `drawing` must be in the document, for its styles are read there. `cropped`: above and below no more than a margin is left empty. */
export function standAlone(drawing: SVGSVGElement, title: string, cropped = false): Picture {
  const box = cropped ? drawing.getBBox() : null
  const top = box ? box.y - MARGIN : 0
  const [width, height] = [Number(drawing.getAttribute('width')), Math.ceil(box ? box.height + 2 * MARGIN : Number(drawing.getAttribute('height'))) + HEAD]
  const page = getComputedStyle(document.documentElement)
  const of = (name: string): string => colour(page.getPropertyValue(name), drawing)
  const root = made('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title })
  const body = made('g', { transform: `translate(0,${HEAD - top})` })
  for (const child of drawing.children) body.append(...[copy(child, {})].filter((one) => one !== null))
  const font = getComputedStyle(document.body).fontFamily
  const heading = made('text', { x: 12, y: 23, 'font-family': font, 'font-size': 14, 'font-weight': 600, fill: of('--ink') }, title)
  root.append(made('title', {}, title), made('rect', { width, height, fill: of('--panel') }), heading, body)
  return { svg: new XMLSerializer().serializeToString(root), width, height }
}

/** A colour of the page's names as a plain one: light-dark() means nothing outside. */
function colour(value: string, within: Element): string {
  const probe = made('rect', {})
  probe.style.fill = value
  within.append(probe)
  const plain = getComputedStyle(probe).fill
  probe.remove()
  return plain
}

/** Twice as large as on the screen where a canvas can hold that. Fails where the browser cannot draw it. */
export async function toPng({ svg, width, height }: Picture): Promise<Blob> {
  const scale = Math.min(2, LARGEST / Math.max(width, height))
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
  try {
    const image = new Image()
    image.src = url
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: Math.round(width * scale), height: Math.round(height * scale) })
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
    return await new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error('no picture'))), 'image/png'))
  } finally {
    URL.revokeObjectURL(url)
  }
}

export function save(blob: Blob, name: string): void {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
