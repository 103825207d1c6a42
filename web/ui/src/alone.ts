// Where the single-file page starts: the lab's own page over the recording that stands in the file (web/export.py puts both together).
import { mount } from 'svelte'
import './app.css'
import { recorded, unpack } from './recorded'
import { words } from './spoken'
import { text } from './text'
import Lab from './views/Lab.svelte'

const target = document.getElementById('app')
const packed = document.getElementById('recording')?.textContent
if (!target || !packed) throw new Error('this file has no recording in it')
Promise.all([unpack(packed), words()]).then(
  ([recording]) => mount(Lab, { target, props: { key: '', channel: (ears) => recorded(recording, ears) } }),
  () => (target.textContent = text.recorded.broken),
)
