// Prints what AWS's language service and asl-validator say of state machines: a line for each finding, after the file's name.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [modules, ...files] = process.argv.slice(2);
const { getLanguageService } = require(join(modules, "amazon-states-language-service"));
const { TextDocument } = require(join(modules, "vscode-languageserver-textdocument"));
const validate = require(join(modules, "asl-validator"));

async function findings(file) {
  const text = readFileSync(file, "utf8");
  const document = TextDocument.create(file, "asl", 1, text);
  const service = getLanguageService({});
  const found = await service.doValidation(document, service.parseJSONDocument(document), {}, {});
  const said = found.map((each) => `language service: ${each.message} ${document.getText(each.range).slice(0, 80)}`);
  const { errors } = validate(JSON.parse(text));
  return [...said, ...errors.map((each) => `asl-validator: ${each["Error code"]} ${each.Message ?? JSON.stringify(each)}`)];
}

(async () => {
  for (const file of files) for (const said of await findings(file)) console.log(`${file}: ${said}`);
})();
