/**
 * Three rules of this house (CONTRIBUTING.md):
 * - `audited-verbs`: an exported function of the domain that writes takes an actor, asks for its right and writes its audit
 *   entry, itself or by what it calls in its file.
 * - `no-write-sql`: pages write nothing; they call a verb.
 * - `no-read-sql`: pages read nothing by themselves; they ask the domain.
 */
const WRITE_SQL = /\b(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+(?:\s+AS)?(?:\s+\w+)?\s+SET)\b/;
const WRITE_CALL =
  /\b(?:transaction|prisma|tx)\.\w+\.(?:create|createMany|update|updateMany|upsert|delete|deleteMany)\(/;
const READ_SQL = /\bSELECT\b[\s\S]*\bFROM\b/;
const READ_CALL = /\bprisma\.(?:\$queryRaw|\w+\.(?:find\w+|count|aggregate|groupBy)\()/;
const ACTOR = /:\s*(?:Actor|Admin|System|Visitor|MailRecipient|SessionIdentity|SignIn|Disconnection)\b/;

const isWrite = (text) => WRITE_SQL.test(text) || WRITE_CALL.test(text);

/** The file's top-level functions and constants by name. */
function declarationsOf(program, sourceCode) {
  const found = new Map();
  for (const statement of program.body) {
    const isExported = statement.type === "ExportNamedDeclaration";
    const node = isExported ? statement.declaration : statement;
    const named =
      node?.type === "FunctionDeclaration" || node?.type === "ClassDeclaration"
        ? [node]
        : node?.type === "VariableDeclaration"
          ? node.declarations
          : [];
    for (const one of named)
      if (one.id?.type === "Identifier")
        found.set(one.id.name, { node: one, isExported, text: sourceCode.getText(one) });
  }
  return found;
}

/** The text of a declaration and of all it uses of its file. */
function reachOf(name, declarations, seen = new Set()) {
  if (seen.has(name)) return "";
  seen.add(name);
  const { text } = declarations.get(name);
  const used = new Set(text.match(/[A-Za-z_$][\w$]*/g));
  return [
    text,
    ...[...declarations.keys()]
      .filter((other) => used.has(other))
      .map((other) => reachOf(other, declarations, seen)),
  ].join("\n");
}

function paramsOf(node) {
  const made = node.type === "VariableDeclarator" ? node.init : node;
  return made?.params;
}

const auditedVerbs = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      noActor:
        "{{name}} writes, and nobody can tell who asked for it. Take an Actor (domain/contract/actor.ts), or, if it is the app's own bookkeeping or a part of a verb in another file, say so in an eslint-disable comment with the reason.",
      noRight:
        "{{name}} writes without asking whether its actor may: begin with requireRight(actor, …) and name the verb in domain/contract/actor-rights.ts.",
      noEntry:
        "{{name}} writes without an entry in the audit: call recordChange(transaction, actor, …) in the transaction of the change, so that neither is there without the other.",
    },
  },
  create: (context) => ({
    Program(program) {
      const declarations = declarationsOf(program, context.sourceCode);
      for (const [name, { node, isExported }] of declarations) {
        const params = paramsOf(node);
        if (!isExported || params === undefined) continue;
        const reach = reachOf(name, declarations);
        if (!isWrite(reach)) continue;
        const report = (messageId) => context.report({ node: node.id, messageId, data: { name } });
        if (!params.some((param) => ACTOR.test(context.sourceCode.getText(param)))) report("noActor");
        else if (!/\brequireRight\(/.test(reach)) report("noRight");
        else if (!/\brecord[A-Z]\w*\(/.test(reach)) report("noEntry");
      }
    },
  }),
};

/** A rule that refuses statements and calls of Prisma. */
const refuse = ({ sql, call, messageId, message }) => ({
  meta: { type: "problem", schema: [], messages: { [messageId]: message } },
  create(context) {
    const check = (node, text) => {
      if (sql.test(text)) context.report({ node, messageId });
    };
    return {
      Literal: (node) => typeof node.value === "string" && check(node, node.value),
      TemplateLiteral: (node) => check(node, node.quasis.map(({ value }) => value.raw).join(" x ")),
      CallExpression(node) {
        if (call.test(`${context.sourceCode.getText(node.callee)}(`)) context.report({ node, messageId });
      },
    };
  },
});

const noWriteSql = refuse({
  sql: WRITE_SQL,
  call: WRITE_CALL,
  messageId: "write",
  message:
    "A page writes nothing by itself: whoever else may make this change (the API, the tab, a command) would have to know the same rule. Move it to a verb in its room of domain/, with an actor, its right and its audit entry, and call that.",
});

const noReadSql = refuse({
  sql: READ_SQL,
  call: READ_CALL,
  messageId: "read",
  message:
    "A page reads nothing by itself: the next one that asks the same would answer it in its own way. Ask a function in its room of domain/, or write one there.",
});

export default {
  rules: { "audited-verbs": auditedVerbs, "no-write-sql": noWriteSql, "no-read-sql": noReadSql },
};
