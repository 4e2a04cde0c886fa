/** What a column of an import can say about its row's enrollment. */
export const IMPORT_FIELDS = [
  "email",
  "contactId",
  "sequenceId",
  "sequenceName",
  "senderEmail",
  "notBefore",
  "reference",
] as const;
export type ImportField = (typeof IMPORT_FIELDS)[number];

/** Names of columns, by field. */
export type ImportMapping = Readonly<Partial<Record<ImportField, string>>>;

/**
 * What columns are called in exports and lists, also in German, French and Spanish: letters and digits alone, as
 * {@link plain} leaves them. The better name stands first.
 */
const NAMES: Readonly<Record<ImportField, readonly string[]>> = {
  email: words(
    "email emailaddress mail mailaddress contactemail workemail primaryemail leademail",
    "emailadresse mailadresse emailkontakt kontaktemail geschaftlicheemail",
    "adresseemail courriel adressecourriel adressemail adresseelectronique adressedecourriel",
    "correo correoelectronico direcciondecorreo direcciondecorreoelectronico direcciondeemail",
  ),
  contactId: words(
    "contactid recordid recordidcontact hsobjectid objectid vid hubspotid hubspotcontactid",
    "kontaktid datensatzid datensatzidkontakt kontaktnummer",
    "idcontact idducontact iddelenregistrement idenregistrement identifiantducontact",
    "idcontacto iddecontacto iddelcontacto idderegistro iddelregistro",
  ),
  sequenceId: words(
    "sequenceid hubspotsequenceid",
    "sequenzid",
    "idsequence iddelasequence idsecuencia iddesecuencia iddelasecuencia",
  ),
  sequenceName: words(
    "sequencename sequence sequenz sequenzname namedersequenz",
    "nomdelasequence nomsequence secuencia nombredelasecuencia nombresecuencia",
  ),
  senderEmail: words(
    "senderemail sender sendfrom from fromemail sendermail contactowner owneremail owner",
    "absender absenderemail absenderadresse zustandig kontaktinhaber",
    "expediteur emailexpediteur emaildelexpediteur proprietaireducontact",
    "remitente correodelremitente emailremitente propietariodelcontacto",
  ),
  notBefore: words(
    "notbefore startdate startat start enrollat enrolldate sendafter",
    "nichtvor startdatum fruhestens pasavant datededebut nopasantesde noantesde fechadeinicio",
  ),
  reference: words(
    "reference ref externalid externalreference orderid leadid",
    "referenz externeid bestellnummer referencia idexterno idexterne",
  ),
};

function words(...lists: string[]): string[] {
  return lists.flatMap((list) => list.split(" "));
}

/** A name without case, accents, spaces and punctuation. */
function plain(name: string): string {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/ß/g, "ss")
    .replace(/[^\p{Letter}\p{Number}]/gu, "");
}

/** Cells of the first rows, by which a column without a known name is recognized. */
const LOOKS_LIKE_ADDRESS = /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/;
/** A column of names has an owner's name in it as often as an address, but only an address can be used. */
const MUST_HOLD_ADDRESSES: readonly ImportField[] = ["email", "senderEmail"];

/**
 * Which column is which field, by its name; for the contact's address also by what is in it, if no name says so.
 *
 * @param rows some of the first rows; none: only the names count.
 */
export function guessMapping(
  columns: readonly string[],
  rows: readonly (readonly string[])[] = [],
): ImportMapping {
  const mapping: Partial<Record<ImportField, string>> = {};
  const plainNames = columns.map(plain);
  const holdsAddresses = columns.map((_, index) => mostlyAddresses(rows, index));
  const isTaken = (column: string): boolean => Object.values(mapping).includes(column);
  for (const field of IMPORT_FIELDS) {
    const needsAddress = MUST_HOLD_ADDRESSES.includes(field) && rows.length > 0;
    for (const name of NAMES[field]) {
      const index = plainNames.findIndex(
        (own, at) =>
          own === name && !isTaken(columns[at] ?? "") && (!needsAddress || holdsAddresses[at] !== false),
      );
      const column = columns[index];
      if (column === undefined) continue;
      mapping[field] = column;
      break;
    }
  }
  if (mapping.email === undefined && mapping.contactId === undefined) {
    const column = columns.find((name, index) => holdsAddresses[index] === true && !isTaken(name));
    if (column !== undefined) mapping.email = column;
  }
  return mapping;
}

/** Undefined: the rows have nothing in this column. */
function mostlyAddresses(rows: readonly (readonly string[])[], index: number): boolean | undefined {
  const filled = rows.map((row) => row[index] ?? "").filter((cell) => cell !== "");
  if (filled.length === 0) return undefined;
  return filled.filter((cell) => LOOKS_LIKE_ADDRESS.test(cell)).length * 2 > filled.length;
}
