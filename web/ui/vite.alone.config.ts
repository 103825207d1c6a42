// The page once more, as one script and one style sheet without a server behind it: web/export.py puts them into a single HTML file.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../static/dist/alone',
    target: 'es2022',
    cssCodeSplit: false,
    copyPublicDir: false,
    emptyOutDir: true,
    rollupOptions: {
      input: 'src/alone.ts',
      output: { format: 'iife', entryFileNames: 'alone.js', assetFileNames: 'alone[extname]', codeSplitting: false },
    },
  },
})
