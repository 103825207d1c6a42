"""How long a step, a step back and a scrub take in Chromium, from the call until the page is laid out anew: figures, printed."""

from __future__ import annotations

import pytest

from tests.browser.tab import Page

pytestmark = [pytest.mark.browser, pytest.mark.bench]

MEASURE = """async () => {
  const lab = window.ctlab, frame = () => new Promise(requestAnimationFrame), told = {}
  const figures = { step: () => lab.stepForward(), back: () => lab.stepBack(), scrub: i => lab.seek((i * 7919) % lab.length) }
  for (const [name, act] of Object.entries(figures)) {
    const times = []
    lab.seek(Math.floor(lab.length / 2))
    for (let i = 0; i < 120; i++) {
      await frame()
      const begun = performance.now()
      act(i)
      await Promise.resolve()
      document.body.getBoundingClientRect()
      if (i >= 20) times.push(performance.now() - begun)
    }
    times.sort((a, b) => a - b)
    told[name] = [times[times.length >> 1], times[Math.floor(times.length * 0.99)]]
  }
  return told
}"""


@pytest.mark.parametrize(("view", "key"), [("ladder", "1"), ("topology", "2"), ("three beliefs", "3")])
def test_a_step_a_step_back_and_a_scrub(view: str, key: str, page: Page) -> None:
    page.open(scenario="laptop-and-server")
    page.type("laptop", "ping -c 300 -i 0.2 192.168.1.20")
    page.tab.keyboard.press(key)
    length = page.lab("length")
    for name, (median, worst) in page.tab.evaluate(MEASURE).items():
        print(f"{view:14} {name:6} of {length} records: median {median:5.1f} ms, p99 {worst:5.1f} ms")
        assert median < 16
