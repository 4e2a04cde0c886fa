// Sends the requests of the “Try it” forms. The key is read from its field for each request and kept nowhere.

/** Longer answers are cut: the page only shows them. */
const MOST_SHOWN = 20_000;
const TOLD_HEADERS = ["location", "retry-after", "ratelimit", "idempotent-replayed", "x-request-id"];

const keyField = document.querySelector("[data-key]");

function filled(form, place) {
  return [...form.querySelectorAll(`[data-place="${place}"]`)]
    .filter((field) => field.value !== "")
    .map((field) => [field.dataset.name, field.value]);
}

function addressOf(form) {
  let path = form.dataset.path;
  for (const [name, value] of filled(form, "path"))
    path = path.replace(`{${name}}`, () => encodeURIComponent(value));
  const query = new URLSearchParams(filled(form, "query")).toString();
  return `/api/v1${path}${query === "" ? "" : `?${query}`}`;
}

function requestOf(form) {
  const headers = Object.fromEntries(filled(form, "header"));
  if (keyField.value !== "") headers.Authorization = `Bearer ${keyField.value.trim()}`;
  const body = form.querySelector("[data-body]")?.value;
  if (body !== undefined) headers["Content-Type"] = form.dataset.type;
  return { method: form.dataset.method, headers, body, credentials: "omit", cache: "no-store" };
}

function inLines(text) {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

async function ask(form) {
  const response = await fetch(addressOf(form), requestOf(form));
  const told = TOLD_HEADERS.filter((name) => response.headers.has(name)).map(
    (name) => `${name}: ${response.headers.get(name)}`,
  );
  const body = inLines(await response.text()).slice(0, MOST_SHOWN);
  return [`${response.status} ${response.statusText}`, ...told, "", body].join("\n");
}

async function send(form) {
  const answer = form.querySelector("[data-answer]");
  const button = form.querySelector("button");
  button.disabled = true;
  answer.hidden = false;
  answer.textContent = "Sending…";
  try {
    answer.textContent = await ask(form);
  } catch (error) {
    answer.textContent = `The request could not be sent: ${error.message}`;
  } finally {
    button.disabled = false;
  }
}

for (const part of document.querySelectorAll("[data-key-part], form[data-path]")) part.hidden = false;
document.addEventListener("submit", (event) => {
  event.preventDefault();
  void send(event.target);
});
