// Draws a view for itself, out of sight, at a size of its own, and takes the picture of it.

import { flushSync, mount, tick, unmount } from 'svelte'
import { seconds } from '../format'
import type { Lab } from '../lab.svelte'
import { text } from '../text'
import Topology from '../views/Topology.svelte'
import LadderPicture from './LadderPicture.svelte'
import { standAlone, type Picture } from './picture'

export type Drawing = 'ladder' | 'topology'
const SIZE = { ladder: { width: 900, height: 0 }, topology: { width: 900, height: 480 } }

/** The view at the lab's present moment. */
export async function draw(what: Drawing, lab: Lab): Promise<Picture> {
  const frame = document.createElement('div')
  const { width, height } = SIZE[what]
  frame.inert = true
  frame.style.cssText = `position:fixed;left:-4000px;top:0;width:${width}px;height:${height}px;display:flex`
  document.body.append(frame)
  const view = what === 'ladder' ? mount(LadderPicture, { target: frame, props: { lab, width } }) : mount(Topology, { target: frame, props: { lab, drawn: true } })
  try {
    flushSync()
    await new Promise(requestAnimationFrame) // sizes that are bound arrive with a frame
    await tick()
    const drawing = frame.querySelector('svg')
    if (!drawing) throw new Error('nothing was drawn')
    return standAlone(drawing, text.share.pictureTitle(text.stage[what], lab.lesson?.title ?? lab.scenario?.title ?? '', seconds(lab.t)), what === 'topology')
  } finally {
    void unmount(view)
    frame.remove()
  }
}
