const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f5f8fa;color:#213343}
main{max-width:34rem;margin:4rem auto;padding:2rem;background:#fff;border:1px solid #cbd6e2;border-radius:6px}
h1{font-size:1.4rem;margin-top:0}label{display:block;font-weight:600}select{width:100%;padding:.5rem;font:inherit}
button{font:inherit;padding:.6rem 1.2rem;border:1px solid #c93700;border-radius:4px;background:#c93700;color:#fff}
button.quiet{background:#fff;color:#213343;border-color:#7c98b6}.note{color:#516f90;font-size:.85rem}
code{color:#516f90;font-size:.8rem}a{color:#006162}dt{font-weight:600}dd{margin:0 0 .5rem}`;

/** A page of the simulated HubSpot. */
export function layout(title: string, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} - simulated HubSpot</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>${content}
<p class="note">This is a simulation of HubSpot for development. No real account is involved.</p></main></body></html>`;
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
