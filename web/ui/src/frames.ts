// When the browser has drawn: what must ask where things stand asks then, because everything is laid out already. Knows nothing of the page.

/** Does it right after the next frame; called, what comes back takes it off again. */
export function afterFrame(act: () => void): () => void {
  let later: ReturnType<typeof setTimeout> | undefined
  const frame = requestAnimationFrame(() => (later = setTimeout(act)))
  return () => {
    cancelAnimationFrame(frame)
    clearTimeout(later)
  }
}
