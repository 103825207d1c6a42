// Where the page starts: mounts App into index.html, once the words of the language that is spoken are here.
import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { words } from './spoken'

const target = document.getElementById('app')
if (!target) throw new Error('index.html has no element with the id "app"')
void words().then(() => mount(App, { target }))
