import type { Pool } from "pg";

/** As if whoever reads the mail of every address that is set had used the link. */
export async function confirmAddresses(pool: Pool): Promise<void> {
  await pool.query(
    `INSERT INTO alert_addresses AS a (portal_id, address, confirmed_at)
     SELECT DISTINCT portal_id, lower(btrim(listed)), now() FROM portal_settings, unnest(string_to_array(alert_email, ',')) AS listed
     ON CONFLICT (portal_id, address) DO UPDATE SET confirmed_at = now(), mail_due_at = NULL`,
  );
}
