import { parseSetCookie, stringifyCookie } from "cookie";

/** A minimal browser for an OAuth round trip: it keeps cookies and follows redirects one at a time. */
export interface Browser {
  /** Opens a URL of the app. Resolves with where it redirects to (absolute), or undefined if it does not. */
  open(url: string): Promise<{ status: number; location: string | undefined; body: string }>;
  /** Its Cookie header. */
  readonly cookies: () => string;
}

export function createBrowser(): Browser {
  const jar = new Map<string, string>();
  const cookies = (): string => stringifyCookie(Object.fromEntries(jar));
  return {
    cookies,
    async open(url) {
      const response = await fetch(url, {
        redirect: "manual",
        headers: { cookie: cookies(), accept: "text/html" },
      });
      for (const line of response.headers.getSetCookie()) {
        const { name, value } = parseSetCookie(line);
        if (name !== undefined && value !== undefined) jar.set(name, value);
      }
      const location = response.headers.get("location");
      return {
        status: response.status,
        location: location === null ? undefined : new URL(location, url).href,
        body: await response.text(),
      };
    },
  };
}

/**
 * Installs the app as an admin's browser does: `/oauth/install` → HubSpot's consent → `/oauth/callback`.
 *
 * @param consent plays the person at HubSpot's consent page: authorize URL in, callback URL out.
 * @returns where the browser ends, signed in.
 * @throws Error that says which step did not redirect.
 */
export async function installByBrowser(options: {
  publicUrl: string;
  browser: Browser;
  consent: (authorizeUrl: string) => string;
  /** The feature that further permissions are given for; by default none. */
  feature?: string | undefined;
}): Promise<string> {
  const begun = await options.browser.open(
    `${options.publicUrl}/oauth/install${options.feature === undefined ? "" : `?for=${options.feature}`}`,
  );
  if (begun.location === undefined) throw new Error(`/oauth/install answered ${begun.status}`);
  const finished = await options.browser.open(options.consent(begun.location));
  if (finished.location === undefined) throw new Error(`/oauth/callback answered ${finished.status}`);
  return finished.location;
}
