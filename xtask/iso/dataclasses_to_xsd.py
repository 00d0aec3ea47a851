"""Turns the dataclasses of the package pyiso20022 back into schemas for `cargo xtask iso-schema`.

    python3 dataclasses_to_xsd.py PYISO20022_FOLDER OFFICIAL_XSD_FOLDER OUT_FOLDER MESSAGE...

pyiso20022 (MIT) was generated from the official schemas and keeps the order, the occurrence and
the facets of every element. It loses two things: whether the members of a type are a sequence or a
choice, and the names of simple types. The names do not matter to us. Choices are told so:

* a type that occurs in any official schema of the folder is taken from there, because the ISO
  20022 repository never changes a type under its name; its members are compared and must agree;
* any other type is a choice if its name ends in "Choice", as the repository names them since 2009.

Checked by deriving every message of which the official schema is at hand and comparing the
compiled tables: they must be the same.
"""

import ast
import pathlib
import sys
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

XS = "{http://www.w3.org/2001/XMLSchema}"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
PRIMITIVES = {
    "str": "xs:string", "bool": "xs:boolean", "Decimal": "xs:decimal", "bytes": "xs:base64Binary",
    "XmlDate": "xs:date", "XmlDateTime": "xs:dateTime", "XmlTime": "xs:time",
}
FACETS = {
    "min_inclusive": "minInclusive", "min_length": "minLength", "max_length": "maxLength",
    "total_digits": "totalDigits", "fraction_digits": "fractionDigits", "pattern": "pattern",
}


def official_types(folder):
    """Complex types by name: a list of groups of (element, minOccurs, maxOccurs)."""
    def element(node):
        return node.get("name"), node.get("minOccurs", "1"), node.get("maxOccurs", "1")

    def groups(node):
        for child in node:
            if child.tag == XS + "sequence":
                yield from groups(child)
            elif child.tag == XS + "choice":
                yield "choice", [element(it) for it in child]
            elif child.tag == XS + "element":
                yield "sequence", [element(child)]

    found = {}
    for path in sorted(pathlib.Path(folder).glob("*.xsd")):
        for node in ElementTree.parse(path).getroot().iter(XS + "complexType"):
            if node.get("name") != "Document":
                known = found.setdefault(node.get("name"), list(groups(node)))
                assert known == list(groups(node)), node.get("name")
    return found


def value(node):
    """A literal, or the number inside Decimal("...")."""
    return node.args[0].value if isinstance(node, ast.Call) else ast.literal_eval(node)


class Message:
    """One message of the package, on its way to a schema."""

    def __init__(self, source, official):
        self.official, self.simple, self.enums, self.classes = official, {}, {}, {}
        for node in ast.parse(source).body:
            if not isinstance(node, ast.ClassDef):
                continue
            if any(ast.unparse(base) == "Enum" for base in node.bases):
                members = [it for it in node.body if isinstance(it, ast.Assign)]
                self.enums[node.name] = [value(it.value) for it in members]
            elif not node.bases:
                fields = [it for it in node.body if isinstance(it, ast.AnnAssign)]
                self.classes[node.name] = [self.field(it) for it in fields]

    @staticmethod
    def field(node):
        kind = ast.unparse(node.annotation).replace("None | ", "").replace(" | None", "")
        is_list = kind.startswith("list[")
        kind = kind.removeprefix("list[").removesuffix("]").strip("'\"")
        meta = next(it.value for it in node.value.keywords if it.arg == "metadata")
        return kind, is_list, {key.value: value(it) for key, it in zip(meta.keys, meta.values)}

    def type_of(self, kind, meta):
        if kind in self.classes or kind in self.enums:
            return kind
        if kind == "XmlPeriod":
            base, facets = "xs:gYear" if meta["name"] == "Yr" else "xs:gYearMonth", ()
        else:
            base = PRIMITIVES[kind]
            facets = tuple((FACETS[it], str(meta[it])) for it in FACETS if it in meta)
        return self.simple.setdefault((base, facets), f"SimpleTypeWithoutAName{len(self.simple)}")

    def groups(self, name, elements):
        """The members of a type, from the official type of that name if there is one."""
        if name in self.official:
            groups = self.official[name]
            assert sorted(it[0] for _, of in groups for it in of) == sorted(elements), name
            return groups
        is_choice = name.endswith("Choice")
        # Both mandates of a choice may be empty in every version that the catalogue has of it.
        least = 0 if name.startswith("MandateRelatedData") or not is_choice else 1
        members = []
        for element, (_, is_list, meta) in elements.items():
            low = max(least, 1 if meta.get("required") else meta.get("min_occurs", 0))
            high = meta.get("max_occurs", "unbounded") if is_list else 1
            members.append((element, str(low), str(high)))
        if is_choice:
            return [("choice", members)]
        return [("sequence", [it]) for it in members]

    def complex_type(self, name, fields):
        texts = [it for it in fields if "type" not in it[2]]
        elements = {it[2]["name"]: it for it in fields if it[2].get("type") == "Element"}
        if texts:
            (kind, _, meta), (akind, _, ameta) = texts[0], next(it for it in fields if it[2].get("type") == "Attribute")
            inside = (
                f"<xs:simpleContent><xs:extension base={quoteattr(self.type_of(kind, meta))}>"
                f"<xs:attribute name={quoteattr(ameta['name'])} use='required'"
                f" type={quoteattr(self.type_of(akind, ameta))}/></xs:extension></xs:simpleContent>"
            )
        elif not elements:
            namespace = fields[0][2].get("namespace", "##any")
            inside = f"<xs:sequence><xs:any namespace={quoteattr(namespace)}/></xs:sequence>"
        else:
            def element(it):
                kind, _, meta = elements[it[0]]
                return (
                    f"<xs:element name={quoteattr(it[0])} type={quoteattr(self.type_of(kind, meta))}"
                    f" minOccurs='{it[1]}' maxOccurs='{it[2]}'/>"
                )

            groups = self.groups(name, elements)
            inside = "".join(
                f"<xs:{group}>{''.join(element(it) for it in of)}</xs:{group}>" for group, of in groups
            )
            inside = f"<xs:sequence>{inside}</xs:sequence>"
        return f"<xs:complexType name={quoteattr(name)}>{inside}</xs:complexType>"

    def schema(self, message):
        types = [self.complex_type(*it) for it in self.classes.items()]
        restrictions = [(name, "xs:string", [("enumeration", it) for it in of]) for name, of in self.enums.items()]
        restrictions += [(name, base, facets) for (base, facets), name in self.simple.items()]
        for name, base, facets in restrictions:
            inside = "".join(f"<xs:{facet} value={quoteattr(it)}/>" for facet, it in facets)
            restriction = f"<xs:restriction base={quoteattr(base)}>{inside}</xs:restriction>"
            types.append(f"<xs:simpleType name={quoteattr(name)}>{restriction}</xs:simpleType>")
        head = f"<xs:schema xmlns:xs={quoteattr(XS[1:-1])} targetNamespace={quoteattr(NAMESPACE + message)}>"
        return "\n".join([head, "<xs:element name='Document' type='Document'/>", *types, "</xs:schema>\n"])


def main():
    package, folder, out, *messages = sys.argv[1:]
    official = official_types(folder)
    for message in messages:
        name = message.replace(".", "_")
        source = pathlib.Path(package, message[:4], name, f"{name}.py").read_text()
        pathlib.Path(out, f"{message}.xsd").write_text(Message(source, official).schema(message))


main()
