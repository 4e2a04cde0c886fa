import { parseSetCookie } from "cookie";

/** A browser of one person: keeps cookies by host, follows no redirect unless asked to. */
export interface Browser {
  get(url: string, headers?: Record<string, string>): Promise<BrowserAnswer>;
  /** Pairs where a name comes more than once. */
  post(url: string, fields: Record<string, string> | string[][]): Promise<BrowserAnswer>;
  /** A form with a file in its field `file`, after the other fields. */
  upload(url: string, fields: string[][], file: string | Uint8Array<ArrayBuffer>): Promise<BrowserAnswer>;
  /** Names of the cookies held for the site. */
  cookieNames(): string[];
  cookie(name: string): string | undefined;
  setCookie(name: string, value: string): void;
}

export interface BrowserAnswer {
  status: number;
  /** Absolute; undefined if the answer is no redirect. */
  location: string | undefined;
  text: string;
  headers: Headers;
}

/** @param origin the site whose cookies are kept; addresses given as paths are its own. */
export function createBrowser(origin: string): Browser {
  const jar = new Map<string, string>();

  async function send(url: string, init: RequestInit): Promise<BrowserAnswer> {
    const target = new URL(url, origin);
    const headers = new Headers({ accept: "text/html,application/xhtml+xml,*/*;q=0.8" });
    for (const [name, value] of Object.entries((init.headers ?? {}) as Record<string, string>))
      headers.set(name, value);
    const isHome = target.origin === origin;
    if (isHome && jar.size > 0)
      headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(target, { ...init, headers, redirect: "manual" });
    if (isHome) response.headers.getSetCookie().forEach(keep);
    const location = response.headers.get("location");
    return {
      status: response.status,
      location: location === null ? undefined : new URL(location, target).href,
      text: await response.text(),
      headers: response.headers,
    };
  }

  function keep(header: string): void {
    const { name, value, maxAge } = parseSetCookie(header);
    if (maxAge === 0 || value === undefined) jar.delete(name);
    else jar.set(name, value);
  }

  return {
    get: (url, headers = {}) => send(url, { headers }),
    post: (url, fields) => send(url, { method: "POST", body: new URLSearchParams(fields) }),
    upload: (url, fields, file) => {
      const body = new FormData();
      for (const [name = "", value = ""] of fields) body.append(name, value);
      body.append("file", new Blob([file], { type: "text/csv" }), "leads.csv");
      return send(url, { method: "POST", body });
    },
    cookieNames: () => [...jar.keys()],
    cookie: (name) => jar.get(name),
    setCookie: (name, value) => void jar.set(name, value),
  };
}

/** Value of a hidden field in a page; throws where the page has none. */
export function hiddenField(page: string, name: string): string {
  const value = new RegExp(`name="${name}"[^>]* value="([^"]*)"`).exec(page)?.[1];
  if (value === undefined) throw new Error(`The page has no hidden field ${name}`);
  return value;
}
