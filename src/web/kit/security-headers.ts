import type { RequestHandler, Response } from "express";
import helmet from "helmet";

/**
 * Headers of every answer. Pages run no inline script or style and load nothing from elsewhere; only HubSpot may frame
 * them (its UI opens our pages in a modal, docs/hubspot.md §8.3).
 */
export function createSecurityHeaders({ publicUrl }: { publicUrl: string }): RequestHandler {
  const isSecure = publicUrl.startsWith("https:");
  const setOthers = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["https://*.hubspot.com"],
      },
    },
    // The older header knows no list of hosts; frame-ancestors above says it all.
    xFrameOptions: false,
    strictTransportSecurity: isSecure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // Callback URLs carry authorization codes: no page may pass its address on.
    referrerPolicy: { policy: "no-referrer" },
  });
  return (request, response, next) => {
    response.set("Permissions-Policy", NO_FEATURES);
    setOthers(request, response, next);
  };
}

/** Pages use none of what a browser could give them; nor may anything that gets into one. */
const NO_FEATURES = [
  "accelerometer",
  "autoplay",
  "camera",
  "display-capture",
  "encrypted-media",
  "fullscreen",
  "geolocation",
  "gyroscope",
  "hid",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "picture-in-picture",
  "publickey-credentials-get",
  "screen-wake-lock",
  "serial",
  "usb",
  "xr-spatial-tracking",
]
  .map((feature) => `${feature}=()`)
  .join(", ");

/** The next user of this browser finds none of our pages in its cache, and nothing else from us. */
export function clearSiteData(response: Response): void {
  response.set("Clear-Site-Data", '"cache", "cookies", "storage"');
}
