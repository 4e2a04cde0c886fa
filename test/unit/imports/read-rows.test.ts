import { describe, expect, test } from "@jest/globals";
import { stringify } from "csv-stringify/sync";
import fc from "fast-check";
import { FILE_LIMITS, type FileLimits } from "#domain/imports/file/file-limits.js";
import { openFile } from "#domain/imports/file/read-rows.js";

/** The bytes in pieces of the given size, as they may come over a wire. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

interface Read {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  problems: readonly string[];
}

async function read(bytes: Uint8Array, { size = 64 * 1024, limits = FILE_LIMITS } = {}): Promise<Read> {
  const file = await openFile(pieces(bytes, size), limits);
  const rows: (readonly string[])[] = [];
  const problems: string[] = [];
  for await (const row of file.rows) {
    rows.push(row.cells);
    if (row.problem !== undefined) problems.push(`${row.number}: ${row.problem}`);
  }
  return { columns: file.columns, rows, problems };
}

const utf8 = (text: string): Buffer => Buffer.from(text, "utf8");
const utf16be = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();
const sentenceOf = async (bytes: Uint8Array, limits: Partial<FileLimits> = {}): Promise<unknown> =>
  read(bytes, { limits: { ...FILE_LIMITS, ...limits } }).then(
    () => "it was read",
    (error: { sentence?: string }) => error.sentence,
  );

const TEXT = 'Name;Email\n"Müller, Anna";anna@lead.example\n"Zoë\nÉlan";zoe@lead.example\n';
const READ: Read = {
  columns: ["Name", "Email"],
  rows: [
    ["Müller, Anna", "anna@lead.example"],
    ["Zoë\nÉlan", "zoe@lead.example"],
  ],
  problems: [],
};

describe("the file of an import", () => {
  test.each([
    ["UTF-8", utf8(TEXT)],
    ["UTF-8 with a byte order mark", utf8(`\ufeff${TEXT}`)],
    ["UTF-16, little end first", Buffer.from(`\ufeff${TEXT}`, "utf16le")],
    ["UTF-16, big end first", utf16be(`\ufeff${TEXT}`)],
    ["UTF-16 without a byte order mark", Buffer.from(TEXT, "utf16le")],
    ["UTF-16, big end first, without one", utf16be(TEXT)],
    ["Windows-1252", Buffer.from(TEXT, "latin1")],
  ])("is read in %s, however it is cut into pieces", async (_name, bytes) => {
    for (const size of [1, 2, 3, 7, 64 * 1024]) expect(await read(bytes, { size })).toEqual(READ);
  });

  test("is read with characters that only Windows-1252 has, far behind its beginning", async () => {
    const plainRows = "a@lead.example;x\n".repeat(10_000);
    const bytes = Buffer.concat([utf8(`Email;Note\n${plainRows}`), Buffer.from([0x80, 0x2c, 0x99, 0x0a])]);
    const { rows } = await read(bytes, { size: 1_000 });
    expect(rows.at(-1)).toEqual(["€,™", ""]);
  });

  test("is refused if it begins as UTF-8 and is damaged later, wherever the pieces are cut", async () => {
    const bytes = Buffer.concat([utf8("Email\nzoë@lead.example\n"), Buffer.from([0xff, 0x0a])]);
    for (const size of [1, 8, 1_000])
      await expect(read(bytes, { size })).rejects.toMatchObject({ problem: "ENCODING", status: 422 });
  });

  test("is refused with half a character of UTF-16 at its end", async () => {
    const bytes = Buffer.concat([
      Buffer.from("\ufeffEmail\na@lead.example\n", "utf16le"),
      Buffer.from([0x61]),
    ]);
    await expect(read(bytes)).rejects.toMatchObject({ problem: "ENCODING" });
  });

  test.each([
    ["commas", "Email,Name\na@x.example,Ada\n"],
    ["semicolons", "Email;Name\na@x.example;Ada\n"],
    ["tabs", "Email\tName\na@x.example\tAda\n"],
    ["semicolons, though its first names have commas", '"Email, work";Name\na@x.example;Ada\n'],
    ["what its first line says", "sep=;\r\nEmail;Name\r\na@x.example;Ada\r\n"],
    ["semicolons and old line ends", "Email;Name\ra@x.example;Ada\r"],
    ["semicolons, though a head and all numbers have commas", "Email;Sum, net, EUR\na@x.example;Ada\n"],
    ["commas, though a head has semicolons", "Email,Name; as written; here\na@x.example,Ada\n"],
  ])("is taken apart at %s", async (_name, text) => {
    const { columns, rows } = await read(utf8(text));
    expect(columns).toHaveLength(2);
    expect(rows).toEqual([["a@x.example", "Ada"]]);
  });

  test("is cut at every line break, whichever kinds it has", async () => {
    const text =
      'Email,Name\r\na@x.example,"Ada\nL."\nb@x.example,Bob\r\n\r\nc@x.example,Cy\rd@x.example,Di\r\r\ne@x.example,Ed';
    for (const size of [1, 3, 1_000])
      expect((await read(utf8(text), { size })).rows).toEqual([
        ["a@x.example", "Ada\nL."],
        ...["b,Bob", "c,Cy", "d,Di", "e,Ed"].map((row) => row.replace(",", "@x.example,").split(",")),
      ]);
  });

  test("is taken apart at semicolons though its numbers have commas as often", async () => {
    const { columns, rows } = await read(utf8("Email;Sum, EUR\na@x.example;12,50\nb@x.example;7,00\n"));
    expect(columns).toEqual(["Email", "Sum, EUR"]);
    expect(rows[0]).toEqual(["a@x.example", "12,50"]);
  });

  test("has one column if no separator is in its header", async () => {
    expect(await read(utf8("Email\na@x.example\nb@x.example"))).toMatchObject({
      columns: ["Email"],
      rows: [["a@x.example"], ["b@x.example"]],
    });
  });

  test("names every column once, and rows without content are no rows", async () => {
    const text = 'Email,,Email,"Email (2)"\n\n,,,\n a@x.example\u00a0,1\n  \nb@x.example,1,2,3,,\n';
    expect(await read(utf8(text))).toEqual({
      columns: ["Email", "Column 2", "Email (2)", "Email (2) (2)"],
      rows: [
        ["a@x.example", "1", "", ""],
        ["b@x.example", "1", "2", "3"],
      ],
      problems: [],
    });
  });

  test("reports a row that has more cells than the header, and reads the next", async () => {
    const { rows, problems } = await read(utf8("Email,Name\na@x.example,Ada,Lovelace\nb@x.example,Bob\n"));
    expect(rows).toHaveLength(2);
    expect(problems).toEqual(["1: The row has more cells than the header."]);
  });

  test("keeps nothing that the database cannot hold", async () => {
    const { rows } = await read(utf8("Email,Note\na@x.example,a\0b\n"));
    expect(rows).toEqual([["a@x.example", "a\ufffdb"]]);
  });

  test("takes a quotation mark inside a cell as it is", async () => {
    expect((await read(utf8('Email,Note\na@x.example,12" pipe\n'))).rows).toEqual([
      ["a@x.example", '12" pipe'],
    ]);
  });

  test("is refused with the line of a quotation mark that is never closed", async () => {
    const rows = "b@x.example,Bob\n".repeat(5_000);
    expect(await sentenceOf(utf8(`Email,Name\na@x.example,"Ada\n${rows}`))).toMatch(/longer than 16 KiB/);
    expect(await sentenceOf(utf8('Email,Name\na@x.example,"Ada\n'))).toMatch(/quotation mark/);
  });

  test("is refused if it is empty, too wide, too long or too large", async () => {
    expect(await sentenceOf(utf8(""))).toBe("The file is empty.");
    expect(await sentenceOf(utf8("\ufeff\n\n"))).toBe("The file is empty.");
    expect(await sentenceOf(utf8("Email\n"))).toBe("The file has no rows below its header.");
    expect(await sentenceOf(utf8("a,b,c\n1,2,3\n"), { columns: 2 })).toBe(
      "The file has more than 2 columns.",
    );
    expect(await sentenceOf(utf8("a\n1\n2\n3\n"), { rows: 2 })).toBe("The file has more than 2 rows.");
    expect(await sentenceOf(utf8(`a\n${"b".repeat(99)}\n`.repeat(20_000)), { fileBytes: 1024 * 1024 })).toBe(
      "The file is larger than 1 MiB.",
    );
  });

  test("with whatever cells, separators and encodings is read as it was written", async () => {
    const cell = fc
      .string({
        unit: fc.constantFrom("a", "é", "ß", '"', ",", ";", "\t", "\n", "\r\n", " ", "=", "1"),
        maxLength: 8,
      })
      .map((text) => `x${text}y`);
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.record({
          delimiter: fc.constantFrom(",", ";", "\t"),
          encoding: fc.constantFrom("utf8", "utf16le", "latin1"),
          size: fc.integer({ min: 1, max: 50 }),
        }),
        async (rows, { delimiter, encoding, size }) => {
          const header = (rows[0] ?? []).map((_, index) => `Head ${index}`);
          const text = stringify([header, ...rows], { delimiter });
          const bytes = Buffer.from(
            encoding === "utf16le" ? `\ufeff${text}` : text,
            encoding as BufferEncoding,
          );
          expect(await read(bytes, { size })).toEqual({ columns: header, rows, problems: [] });
        },
      ),
      { numRuns: 300 },
    );
  });

  test("of whatever bytes is read or refused, and never fails otherwise", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        async (bytes, size) => {
          const ended = await read(bytes, { size }).then(
            () => "read",
            (error: { code?: string }) => error.code,
          );
          expect(["read", "IMPORT_FILE_REFUSED"]).toContain(ended);
        },
      ),
      { numRuns: 500 },
    );
  });
});
