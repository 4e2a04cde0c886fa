/** What an alert's mail shows. All of it comes from outside. */
export interface AlertHtmlModel {
  /** What kind of alert it is. */
  readonly name: string;
  readonly lines: readonly string[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** How often such mails come; empty: not said. */
  readonly often: string;
  readonly detailsUrl: string;
  readonly manageUrl: string;
  readonly unsubscribeUrl: string;
}

/** Mail programs know little CSS; colors are readable on a dark background as well, and nothing is loaded from anywhere. */
const STYLE = `
  body { margin: 0; padding: 24px; background: #ffffff; color: #1f2937; font: 16px/1.5 sans-serif; }
  table { border-collapse: collapse; }
  th { text-align: left; font-weight: 600; padding: 2px 16px 2px 0; }
  td { padding: 2px 0; }
  a { color: #0b5cad; }
  .note { color: #4b5563; font-size: 14px; }
  @media (prefers-color-scheme: dark) {
    body { background: #111827; color: #f3f4f6; }
    a { color: #8ec5ff; }
    .note { color: #cbd5e1; }
  }`;

export function alertHtml(model: AlertHtmlModel): string {
  const { name, lines, facts, often, detailsUrl, manageUrl, unsubscribeUrl } = model;
  const rows = facts.map(
    ([label, value]) => `<tr><th scope="row">${escape(label)}</th><td>${escape(value)}</td></tr>`,
  );
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">',
    `<title>${escape(name)}</title><style>${STYLE}</style></head><body>`,
    `<h1 style="font-size:20px;margin:0 0 12px">${escape(name)}</h1>`,
    ...lines.map((line) => `<p style="margin:0 0 8px">${escape(line)}</p>`),
    `<table role="presentation" style="margin:16px 0">${rows.join("")}</table>`,
    `<p><a href="${escape(detailsUrl)}">View details</a></p>`,
    '<hr style="border:0;border-top:1px solid #9ca3af;margin:24px 0">',
    "<p class=\"note\">You're receiving this because you're on the alert list. ",
    `${often === "" ? "" : `${escape(often)} `}<a href="${escape(manageUrl)}">Manage alerts</a> or `,
    `<a href="${escape(unsubscribeUrl)}">unsubscribe</a>.</p></body></html>`,
  ].join("\n");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}
