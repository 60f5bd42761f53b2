import { defineConfig } from "vite";

export default defineConfig({
  build: { target: "es2022", modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { port: 5173, proxy: { "/config.json": "http://localhost:8080", "/demo": "http://localhost:8080" } },
});
