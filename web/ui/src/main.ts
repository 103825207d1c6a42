// Where the page starts: mounts App into index.html.
import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'

const target = document.getElementById('app')
if (!target) throw new Error('index.html has no element with the id "app"')
mount(App, { target })
