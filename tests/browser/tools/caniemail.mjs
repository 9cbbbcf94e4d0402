// Reads one HTML part a line, each as a JSON string; answers each with a line: what mail programs do
// not support of it, as {feature: [program, …]}.
import { createInterface } from "node:readline";

const [, , installed, ...clients] = process.argv;
const { caniemail } = await import(`${installed}/caniemail/dist/index.js`);

for await (const line of createInterface({ input: process.stdin })) {
  const unsupported = {};
  for (const [client, issues] of caniemail({ clients, html: JSON.parse(line) }).issues.errors) {
    for (const { title } of issues) (unsupported[title] ??= new Set()).add(client);
  }
  console.log(JSON.stringify(unsupported, (_, value) => (value instanceof Set ? [...value] : value)));
}
