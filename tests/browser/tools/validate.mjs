// Reads one page a line, each as a JSON string; answers each with a line: what is wrong with it.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , installed, rules] = process.argv;
const { HtmlValidate, StaticConfigLoader } = createRequire(`${installed}/`)("html-validate");
const validator = new HtmlValidate(new StaticConfigLoader(JSON.parse(readFileSync(rules, "utf8"))));

for await (const line of createInterface({ input: process.stdin })) {
  const { results } = await validator.validateString(JSON.parse(line));
  const problems = results.flatMap(({ messages }) =>
    messages.map(({ line, ruleId, message }) => `line ${line}: ${ruleId}: ${message}`));
  console.log(JSON.stringify(problems));
}
