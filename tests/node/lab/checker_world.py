"""Questions of facts answered from a table of their own: each object with all its subjects."""

import re
from collections.abc import Iterator, Sequence


def _table(text: str) -> dict[str, list[str]]:
    """`object: subject, subject` per line or semicolon."""
    rows = (row.split(":") for row in re.split(r"[;\n]", text) if row.strip())
    return {found.strip(): [subject.strip() for subject in subjects.split(",")] for found, subjects in rows}


TABLES = {
    "language": _table("""
        Arabic: Egypt, Jordan, Tunisia; Chinese: China; Danish: Denmark; English: Australia; Finnish: Finland
        French: France; German: Austria, Germany; Greek: Greece; Hungarian: Hungary; Icelandic: Iceland; Italian: Italy
        Japanese: Japan; Norwegian: Norway; Persian: Iran; Polish: Poland; Portuguese: Brazil, Portugal
        Russian: Russia; Spanish: Argentina, Chile, Cuba, Mexico, Spain; Swedish: Sweden; Thai: Thailand
        Turkish: Turkey; Vietnamese: Vietnam
    """),
    "currency": _table("""
        baht: Thailand; dollar: Australia, Canada; dong: Vietnam; euro: France, Germany, Italy, Spain; forint: Hungary
        krone: Denmark, Norway; lira: Turkey; peso: Chile, Mexico; pound: Egypt; real: Brazil; rial: Iran
        ruble: Russia; rupee: India; won: South Korea; yen: Japan; yuan: China; zloty: Poland
    """),
    "continent": _table("""
        Africa: Angola, Ghana, Kenya, Morocco, Nigeria, Uganda
        Asia: China, India, Iran, Japan, Nepal, Thailand, Vietnam
        Europe: Belgium, France, Germany, Italy, Norway, Poland, Sweden; North America: Canada, Cuba, Mexico
        South America: Brazil, Chile, Ecuador, Peru
    """),
    "capital": _table("""
        Abuja: Nigeria; Accra: Ghana; Addis Ababa: Ethiopia; Amman: Jordan; Ankara: Turkey; Athens: Greece
        Baghdad: Iraq; Bangkok: Thailand; Beijing: China; Beirut: Lebanon; Belgrade: Serbia; Berlin: Germany
        Bogota: Colombia; Brasilia: Brazil; Brussels: Belgium; Bucharest: Romania; Budapest: Hungary
        Buenos Aires: Argentina; Cairo: Egypt; Canberra: Australia; Caracas: Venezuela; Copenhagen: Denmark
        Dakar: Senegal; Damascus: Syria; Doha: Qatar; Dublin: Ireland; Hanoi: Vietnam; Havana: Cuba; Helsinki: Finland
        Islamabad: Pakistan; Kabul: Afghanistan; Kampala: Uganda; Kathmandu: Nepal; Kingston: Jamaica; Lima: Peru
        Lisbon: Portugal; Ljubljana: Slovenia; Luanda: Angola; Lusaka: Zambia; Madrid: Spain; Mexico City: Mexico
        Montevideo: Uruguay; Moscow: Russia; Nairobi: Kenya; New Delhi: India; Oslo: Norway; Ottawa: Canada
        Paris: France; Prague: Czechia; Quito: Ecuador; Rabat: Morocco; Reykjavik: Iceland; Riga: Latvia; Rome: Italy
        Santiago: Chile; Seoul: South Korea; Sofia: Bulgaria; Stockholm: Sweden; Tallinn: Estonia; Tehran: Iran
        Tirana: Albania; Tokyo: Japan; Tripoli: Libya; Tunis: Tunisia; Vienna: Austria; Vilnius: Lithuania
        Warsaw: Poland; Zagreb: Croatia
    """),
    "symbol": _table("""
        Ag: silver; Al: aluminium; Ar: argon; Au: gold; B: boron; Ba: barium; C: carbon; Ca: calcium; Cl: chlorine
        Co: cobalt; Cu: copper; Fe: iron; H: hydrogen; He: helium; Hg: mercury; I: iodine; K: potassium; Li: lithium
        Mg: magnesium; N: nitrogen; Na: sodium; Ne: neon; Ni: nickel; O: oxygen; Pb: lead; Pt: platinum; Ra: radium
        S: sulfur; Si: silicon; Sn: tin; Ti: titanium; U: uranium; W: tungsten; Zn: zinc
    """),
    "opposite": _table("""
        after: before; cold: hot; down: up; empty: full; far: near; hard: soft; hate: love; last: first
        late: early; lose: win; low: high; modern: ancient; never: always; night: day; outside: inside; peace: war
        poor: rich; pull: push; quiet: loud; right: left; sell: buy; short: long; slow: fast; small: big; south: north
        thin: thick; false: true; weak: strong; dry: wet
    """),
    "young": _table("""
        calf: cow; cub: lion; cygnet: swan; duckling: duck; foal: horse; gosling: goose; joey: kangaroo; kid: goat
        kitten: cat; lamb: sheep; owlet: owl; piglet: pig; puppy: dog; tadpole: frog
    """),
    "planet": _table("""
        Earth: third; Jupiter: fifth; Mars: fourth; Mercury: first; Neptune: eighth; Saturn: sixth; Uranus: seventh
        Venus: second
    """),
    "legs": _table("""
        two: duck, eagle, hen, owl; four: cat, cow, dog, horse, lion, sheep; six: ant, bee, beetle, fly, wasp
        eight: scorpion, spider
    """),
    "sides": _table("""
        three: triangle; four: square; five: pentagon; six: hexagon; seven: heptagon; eight: octagon; ten: decagon
    """),
    "plural": _table("""
        babies: baby; boxes: box; children: child; cities: city; feet: foot; geese: goose; halves: half; knives: knife
        leaves: leaf; lice: louse; lives: life; men: man; mice: mouse; oxen: ox; teeth: tooth; thieves: thief
        wolves: wolf; women: woman
    """),
    "past": _table("""
        ate: eat; began: begin; broke: break; brought: bring; came: come; caught: catch; drank: drink; drove: drive
        flew: fly; gave: give; grew: grow; kept: keep; knew: know; ran: run; sang: sing; saw: see; spoke: speak
        stole: steal; swam: swim; taught: teach; thought: think; threw: throw; told: tell; took: take; went: go
        wrote: write
    """),
    "counterpart": _table("""
        actress: actor; aunt: uncle; baroness: baron; duchess: duke; empress: emperor; ewe: ram; goddess: god
        heroine: hero; lioness: lion; mare: stallion; mother: father; niece: nephew; nun: monk; princess: prince
        queen: king; sister: brother; tigress: tiger; waitress: waiter; wife: husband
    """),
    "author": _table("""
        Austen: Emma; Cervantes: Don Quixote; Dickens: Oliver Twist; Goethe: Faust; Homer: The Odyssey; Joyce: Ulysses
        Kafka: The Trial; Melville: Moby Dick; Poe: The Raven; Shakespeare: Hamlet; Shelley: Frankenstein
        Stoker: Dracula; Tolstoy: War and Peace; Virgil: The Aeneid; Voltaire: Candide
    """),
}
WORDS_OF = (
    ("language", "language|most people|mostly"),
    ("currency", "currency|money|pay"),
    ("capital", "capital"),
    ("continent", "continent|(?:in|In) (?:Africa|Asia|Europe|North America|South America)"),
    ("symbol", "symbol|chemistry|element"),
    ("opposite", "opposite|contrary"),
    ("young", "young|call a baby|starts its life|was once"),
    ("planet", "planet|from the sun"),
    ("legs", "legs"),
    ("sides", "sides"),
    ("plural", "plural|singular|two what"),
    ("past", "past tense|yesterday"),
    ("counterpart", "counterpart"),
    ("author", "wrote|author|written|whom|write| by "),
)
"""What tells a relation; the first that fits."""


def pairs() -> Iterator[tuple[str, str, str]]:
    """Every fact known here: relation, subject, object."""
    for relation, table in TABLES.items():
        for found, subjects in table.items():
            for subject in subjects:
                yield relation, subject, found


def world(text: str, options: Sequence[str] = ()) -> str:
    """The answer to a question of facts, of which there must be just one."""
    text = re.sub(r"^(?:\w+ asks|\w+ wants to know|Quiz for \w+): ", "", text)
    text = re.sub(r"^(?:Give|Name|Count) ", "", text)
    if described := re.search(r"[Tt]he country whose capital is ([A-Z][a-z]+(?: [A-Z][a-z]+)?)", text):
        (country,) = TABLES["capital"][described[1]]
        text = text.replace(described[0], country)
    relation = next(name for name, words in WORDS_OF if re.search(rf"\b(?:{words})\b", text))
    table = TABLES[relation]
    objects, rest = _named(text, list(table))
    subjects, _ = _named(rest, [subject for subjects in table.values() for subject in subjects])
    if sorted(options) == ["no", "yes"]:
        (subject,), (found,) = subjects, objects
        return "yes" if subject in table[found] else "no"
    if re.search(r"of these|[Ww]hich place", text) and options:
        (found,) = objects
        without = re.search(r"\bnot\b", text) is not None
        (answer,) = (option for option in options if (option in table[found]) is not without)
        return answer
    if objects:
        (found,) = objects
        (answer,) = table[found]
        return answer
    (subject,) = subjects
    (answer,) = (found for found, having in table.items() if subject in having)
    return answer


def _named(text: str, names: Sequence[str]) -> tuple[set[str], str]:
    """Which names are in the text as words, also with a capital at its beginning; the text without them."""
    found = set()
    for name in sorted(names, key=len, reverse=True):  # Mexico City is not Mexico
        pattern = rf"\b{name}\b|^{name[0].upper()}{name[1:]}\b"
        if re.search(pattern, text):
            found.add(name)
            text = re.sub(pattern, "_", text)
    return found, text
