// The page is built into web/static/dist, from where the server serves it: dist/index.html for `/` and `/s/<key>`, dist/assets/… for the rest.
// While the page itself is being written, `npm run dev` serves it with hot reload and hands /api and the socket to a `ctlab` that runs beside it.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const lab = process.env['CTLAB_URL'] ?? 'http://127.0.0.1:8022'
// The server takes a socket from its own origin alone, so the proxy speaks with that origin.
const handOver = { target: lab, changeOrigin: true, headers: { origin: lab } }

export default defineConfig({
  plugins: [svelte()],
  server: {
    host: '127.0.0.1',
    proxy: { '/api': handOver, '/socket.io': { ...handOver, ws: true, rewriteWsOrigin: true } },
  },
  build: {
    outDir: '../static/dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // no data: URLs, so that the page can live under a strict Content-Security-Policy
    license: { fileName: 'assets/third-party-licenses.md' },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
