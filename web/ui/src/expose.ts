// `window.ctlab`: the lab for browser tests, benches and the curious. Nothing in the page uses it.

import type { Lab } from './lab.svelte'

declare global {
  interface Window { ctlab?: ReturnType<typeof handle> }
}

function handle(lab: Lab) {
  return {
    get state() { return lab.state },
    get records() { return lab.story.records },
    get n() { return lab.n },
    get t() { return lab.t },
    get length() { return lab.story.length },
    get playing() { return lab.playing },
    get waiting() { return lab.waiting },
    get saved() { return lab.saved },
    get chosen() { return lab.chosen?.packet ?? null },
    seek: (n: number): void => lab.seek(n),
    seekTime: (t: number): void => lab.seekTime(t),
    stepForward: (): void => lab.stepEvent(1),
    stepBack: (): void => lab.stepEvent(-1),
    nextPacket: (): void => lab.stepPacket(1),
    previousPacket: (): void => lab.stepPacket(-1),
    choose: (packet: number): void => lab.choose(packet),
    play: (): void => { if (!lab.playing) lab.toggle() },
    pause: (): void => lab.pause(),
    setSpeed: (speed: number): void => lab.setSpeed(speed),
    type: (terminal: string, line: string): void => lab.give({ type: 'line', terminal, text: line }),
  }
}

export function expose(lab: Lab): void {
  window.ctlab = handle(lab)
}
