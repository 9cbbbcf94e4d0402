// Reads one mail a line, each in base64; answers each with a line: what Node's mailparser makes of it.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { simpleParser } = createRequire(`${process.argv[2]}/`)("mailparser");
const addresses = (field) => (field ? field.value : []).map(({ name, address }) => [name, address]);

for await (const line of createInterface({ input: process.stdin })) {
  const mail = await simpleParser(Buffer.from(line, "base64"), { skipTextToHtml: true });
  const references = mail.references ?? [];
  console.log(JSON.stringify({
    subject: mail.subject,
    from: addresses(mail.from),
    to: addresses(mail.to),
    reply_to: addresses(mail.replyTo),
    message_id: mail.messageId,
    references: Array.isArray(references) ? references : [references],
    headers: mail.headerLines.map(({ key }) => key),
    text: mail.text,
    html: mail.html,
    attachments: mail.attachments.length,
  }));
}
