import type { RequestHandler } from "express";
import helmet from "helmet";

/**
 * Headers of every answer. Pages run no inline script or style and load nothing from elsewhere; only HubSpot may frame
 * them (its UI opens our pages in a modal, dossier §8.3).
 */
export function createSecurityHeaders({ publicUrl }: { publicUrl: string }): RequestHandler {
  const isSecure = publicUrl.startsWith("https:");
  return helmet({
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
}
