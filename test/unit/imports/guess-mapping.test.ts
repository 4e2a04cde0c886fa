import { describe, expect, test } from "@jest/globals";
import { guessMapping } from "#domain/imports/file/guess-mapping.js";

describe("the guess which column is which", () => {
  test.each([
    [
      "English",
      ["First Name", "E_mail address", "Record ID", "Sequence name"],
      ["email", "contactId", "sequenceName"],
    ],
    [
      "German",
      ["Vorname", "EMail-Adresse", "Datensatz-ID", "Sequenz", "Absender"],
      ["email", "contactId", "sequenceName", "senderEmail"],
    ],
    [
      "French",
      ["Prénom", "Adresse électronique", "Nom de la séquence", "Expéditeur"],
      ["email", "sequenceName", "senderEmail"],
    ],
    [
      "Spanish",
      ["Nombre", "Correo electrónico", "ID de registro", "Remitente"],
      ["email", "contactId", "senderEmail"],
    ],
  ])("knows %s names, whatever their case and accents", (_language, columns, fields) => {
    expect(Object.keys(guessMapping(columns)).sort()).toEqual([...fields].sort());
    expect(Object.keys(guessMapping(columns.map((name) => name.toUpperCase()))).sort()).toEqual(
      [...fields].sort(),
    );
  });

  test("gives no column to two fields, and no field a column that is not there", () => {
    expect(guessMapping(["Email", "Email address", "Notes"])).toEqual({ email: "Email" });
    expect(guessMapping(["Company", "Notes"])).toEqual({});
  });

  test("finds the addresses by what is in the rows if no name says so", () => {
    const rows = [
      ["Ada", "ada@lead.example"],
      ["Bob", ""],
      ["Cleo", "cleo@lead.example"],
    ];
    expect(guessMapping(["Who", "Where"], rows)).toEqual({ email: "Where" });
  });

  test("does not take an owner's name for an address to send from", () => {
    const rows = [["ada@lead.example", "Grace Hopper"]];
    expect(guessMapping(["Email", "Contact owner"], rows)).toEqual({ email: "Email" });
  });
});
