import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

const onlyFrom = (files, group, message) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns: [{ group, message }] }] },
});

export default tseslint.config(
  { ignores: ["**/dist/", "**/gen/", "**/node_modules/"] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ["*.js", "*/*.config.ts", "*.config.ts"] } },
    },
    rules: {
      // Emitters and `Promise` callbacks are short arrows; a pair of braces would not make them clearer.
      "@typescript-eslint/no-confusing-void-expression": "off",
      // `"error" in x` style checks on the DOM's optional APIs are real checks: its types describe the newest browser.
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  // Dependencies point one way: gen <- state <- rtc <- room and client <- app.
  onlyFrom(
    ["packages/client/src/state/**"],
    ["**/rtc/*", "**/room.js", "**/client.js", "@salon/*", "preact*", "@preact/*"],
    "state/ is pure: it knows no connection and no app",
  ),
  onlyFrom(
    ["packages/client/src/rtc/**"],
    ["**/room.js", "**/client.js", "@salon/*", "preact*", "@preact/*"],
    "rtc/ knows no room and no app",
  ),
  onlyFrom(["packages/client/src/*.ts"], ["@salon/*", "preact*", "@preact/*"], "the SDK has no user interface"),
  onlyFrom(
    ["app/src/**"],
    ["@salon/client/*", "**/packages/**"],
    "the app uses what the SDK exports, and nothing inside it",
  ),
  onlyFrom(["app/src/ui/**"], ["**/features/**", "**/state/app.js", "**/state/room_view.js"], "ui/ knows no feature"),
  { files: ["**/*.js"], ...tseslint.configs.disableTypeChecked },
);
