import type { ComponentChildren } from "preact";
import { PROBLEM_CODES } from "#web/api/kit/problem.js";
import { PROBLEM_PAGE } from "#web/api/kit/send-problem.js";
import { STYLESHEET_PATH } from "#web/kit/page.js";

export const DOCS_PATH = "/api/docs";
export const DOCS_STYLE_PATH = `${DOCS_PATH}/docs.css`;
export const TRY_SCRIPT_PATH = `${DOCS_PATH}/try-it.js`;

/** The frame of the documentation: the look of the settings pages, and nothing of an account. */
export function DocsFrame({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title} · Sequence Enroller</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href={STYLESHEET_PATH} />
        <link rel="stylesheet" href={DOCS_STYLE_PATH} />
        <script src={TRY_SCRIPT_PATH} defer></script>
      </head>
      <body>
        <a class="skip" href="#content">
          Skip to the content
        </a>
        <header class="top">
          <p class="brand">Sequence Enroller</p>
          <nav aria-label="Documentation" class="docs-links">
            <a href={DOCS_PATH}>API</a>
            <a href={PROBLEM_PAGE}>Error codes</a>
            <a href="/api/v1/openapi.json">OpenAPI document</a>
          </nav>
        </header>
        {children}
      </body>
    </html>
  );
}

/** Paragraphs of a description; `code` in backticks, and a code of a problem leads to its explanation. */
export function Prose({ text }: { text: string }) {
  return (
    <>
      {text.split("\n\n").map((paragraph) => (
        <p key={paragraph}>{paragraph.split("`").map(renderPiece)}</p>
      ))}
    </>
  );
}

function renderPiece(piece: string, index: number) {
  if (index % 2 === 0) return piece;
  const isProblem = (PROBLEM_CODES as readonly string[]).includes(piece);
  if (!isProblem) return <code key={index}>{piece}</code>;
  return (
    <a key={index} href={`${PROBLEM_PAGE}#${piece}`}>
      <code>{piece}</code>
    </a>
  );
}
