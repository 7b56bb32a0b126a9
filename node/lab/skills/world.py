"""What the questions of facts are about: relations, the pairs of each, and the ways to ask for them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Relation:
    """Pairs of a subject and its one object, and texts about them, with `{s}` and `{o}` for the two.

    Args:
        phrasings: open questions for the object; several, so that one can be held out and the fact still be known.
        pairs: subject to object.
        truth: whether a subject has an object, yes or no.
        turned: open questions for the subject; empty where an object has several subjects, here or in the world.
        among: which of some subjects has an object.
        odd: which of some subjects has it not.
        whose: the subject in other words; empty like `turned`.
        whats: the object in other words.
    """

    phrasings: tuple[str, ...]
    pairs: Mapping[str, str]
    truth: tuple[str, ...] = ()
    turned: tuple[str, ...] = ()
    among: str = ""
    odd: str = ""
    whose: str = ""
    whats: str = ""


def _pairs(text: str) -> dict[str, str]:
    """`a=b; c=d` as a mapping, in order."""
    return {key.strip(): value.strip() for key, value in (pair.split("=") for pair in text.split(";"))}


RELATIONS: Mapping[str, Relation] = {
    "capital": Relation(
        (
            "What is the capital of {s}?",
            "Name the capital of {s}.",
            "Which city is the capital of {s}?",
            "{s} has which capital?",
            "The capital of {s} is called what?",
            "What is the capital city of {s}?",
        ),
        _pairs(
            "France=Paris; Germany=Berlin; Italy=Rome; Spain=Madrid; Portugal=Lisbon; Austria=Vienna; Poland=Warsaw;"
            "Greece=Athens; Ireland=Dublin; Norway=Oslo; Sweden=Stockholm; Finland=Helsinki; Denmark=Copenhagen;"
            "Belgium=Brussels; Hungary=Budapest; Romania=Bucharest; Bulgaria=Sofia; Russia=Moscow; Turkey=Ankara;"
            "Egypt=Cairo; Kenya=Nairobi; Ghana=Accra; Ethiopia=Addis Ababa; Morocco=Rabat; Japan=Tokyo; China=Beijing;"
            "India=New Delhi; Iran=Tehran; Iraq=Baghdad; Thailand=Bangkok; Vietnam=Hanoi; Cuba=Havana; Peru=Lima;"
            "Chile=Santiago; Argentina=Buenos Aires; Colombia=Bogota; Canada=Ottawa; Mexico=Mexico City;"
            "Australia=Canberra; Iceland=Reykjavik; Croatia=Zagreb; Serbia=Belgrade; Estonia=Tallinn; Latvia=Riga;"
            "Lithuania=Vilnius; Albania=Tirana; Czechia=Prague; Slovenia=Ljubljana; Lebanon=Beirut; Jordan=Amman;"
            "Syria=Damascus; Nepal=Kathmandu; Pakistan=Islamabad; Afghanistan=Kabul; South Korea=Seoul; Qatar=Doha;"
            "Tunisia=Tunis; Libya=Tripoli; Uganda=Kampala; Zambia=Lusaka; Angola=Luanda; Senegal=Dakar; Nigeria=Abuja;"
            "Ecuador=Quito; Uruguay=Montevideo; Venezuela=Caracas; Brazil=Brasilia; Jamaica=Kingston"
        ),
        ("Is {o} the capital of {s}?", "Does {s} have {o} as its capital?", "Is the capital of {s} {o}?"),
        (
            "Of which country is {o} the capital?",
            "{o} is the capital of which country?",
            "Which country has {o} as its capital?",
        ),
        "Which of these has {o} as its capital?",
        "",
        "the country whose capital is {o}",
        "the capital of {s}",
    ),
    "continent": Relation(
        (
            "On which continent is {s}?",
            "Which continent is {s} on?",
            "Name the continent of {s}.",
            "{s} lies on which continent?",
            "To which continent does {s} belong?",
        ),
        _pairs(
            "France=Europe; Germany=Europe; Italy=Europe; Norway=Europe; Poland=Europe; Sweden=Europe; Belgium=Europe;"
            "Kenya=Africa; Ghana=Africa; Morocco=Africa; Nigeria=Africa; Uganda=Africa; Angola=Africa;"
            "Japan=Asia; China=Asia; India=Asia; Vietnam=Asia; Iran=Asia; Thailand=Asia; Nepal=Asia;"
            "Peru=South America; Chile=South America; Brazil=South America; Ecuador=South America;"
            "Canada=North America; Mexico=North America; Cuba=North America"
        ),
        ("Is {s} in {o}?", "Does {s} lie in {o}?", "Is {s} a country in {o}?"),
        (),
        "Which of these is in {o}?",
        "Which of these is not in {o}?",
        "",
        "the continent of {s}",
    ),
    "symbol": Relation(
        (
            "What is the chemical symbol of {s}?",
            "Give the symbol for {s}.",
            "How is {s} written in chemistry?",
            "Which symbol stands for {s}?",
            "{s} has which chemical symbol?",
        ),
        _pairs(
            "hydrogen=H; helium=He; lithium=Li; boron=B; carbon=C; nitrogen=N; oxygen=O; neon=Ne; sodium=Na;"
            "magnesium=Mg; aluminium=Al; silicon=Si; sulfur=S; chlorine=Cl; argon=Ar; potassium=K; calcium=Ca;"
            "titanium=Ti; iron=Fe; cobalt=Co; nickel=Ni; copper=Cu; zinc=Zn; silver=Ag; tin=Sn; iodine=I; barium=Ba;"
            "tungsten=W; platinum=Pt; gold=Au; mercury=Hg; lead=Pb; radium=Ra; uranium=U"
        ),
        ("Is {o} the symbol for {s}?", "Does {o} stand for {s} in chemistry?", "Is {s} written {o} in chemistry?"),
        (
            "Which element has the symbol {o}?",
            "For which element does {o} stand?",
            "{o} is the symbol for which element?",
        ),
        "Which of these has the symbol {o}?",
        "",
        "",
        "the chemical symbol of {s}",
    ),
    "opposite": Relation(
        (
            "What is the opposite of {s}?",
            "Name the opposite of {s}.",
            "Which word is the opposite of {s}?",
            "{s} is the opposite of what?",
            "The contrary of {s} is what?",
        ),
        _pairs(
            "hot=cold; big=small; fast=slow; ancient=modern; wet=dry; early=late; full=empty; soft=hard;"
            "strong=weak; rich=poor; near=far; high=low; long=short; up=down; left=right; day=night; love=hate;"
            "win=lose; buy=sell; push=pull; war=peace; first=last; loud=quiet; thick=thin; true=false; always=never;"
            "inside=outside; before=after; north=south"
        ),
        whats="the opposite of {s}",
    ),
    "young": Relation(
        (
            "What is a young {s} called?",
            "Name the young of a {s}.",
            "What do we call a baby {s}?",
            "Which word means a young {s}?",
            "A {s} starts its life as a what?",
        ),
        _pairs(
            "dog=puppy; cat=kitten; cow=calf; horse=foal; sheep=lamb; goat=kid; pig=piglet; lion=cub; duck=duckling;"
            "goose=gosling; swan=cygnet; frog=tadpole; kangaroo=joey; owl=owlet"
        ),
        ("Is a young {s} called a {o}?", "Is a {o} a young {s}?"),
        (),
        "Which of these was once a {o}?",
        "",
        "",
        "the word for a young {s}",
    ),
    "planet": Relation(
        (
            "Which planet is the {s} from the sun?",
            "Name the {s} planet from the sun.",
            "What is the {s} planet of our solar system?",
            "Counting from the sun, which planet is {s}?",
            "The {s} planet is which one?",
        ),
        _pairs(
            "first=Mercury; second=Venus; third=Earth; fourth=Mars; fifth=Jupiter; sixth=Saturn; seventh=Uranus;"
            "eighth=Neptune"
        ),
        ("Is {o} the {s} planet from the sun?", "Is the {s} planet from the sun {o}?"),
        ("Counting from the sun, which place has {o}?", "Which place from the sun has the planet {o}?"),
        "Which place from the sun has {o}?",
        "",
        "",
        "the {s} planet from the sun",
    ),
    "currency": Relation(
        (
            "What is the currency of {s}?",
            "Which money is used in {s}?",
            "With what does one pay in {s}?",
            "Name the currency of {s}.",
            "{s} has which currency?",
        ),
        _pairs(
            "Japan=yen; China=yuan; India=rupee; Russia=ruble; Mexico=peso; Chile=peso; Brazil=real; Poland=zloty;"
            "Denmark=krone; Norway=krone; Turkey=lira; Thailand=baht; Vietnam=dong; Hungary=forint;"
            "Iran=rial; Germany=euro; France=euro; Italy=euro; Spain=euro; Canada=dollar; Australia=dollar;"
            "South Korea=won; Egypt=pound"
        ),
        ("Is the {o} the currency of {s}?", "Does one pay with the {o} in {s}?", "Is the currency of {s} the {o}?"),
        (),
        "In which of these does one pay with the {o}?",
        "In which of these does one not pay with the {o}?",
        "",
        "the currency of {s}",
    ),
    "language": Relation(
        (
            "What is the main language of {s}?",
            "Name the main language of {s}.",
            "Which language do most people in {s} speak?",
            "{s} speaks mostly which language?",
            "Which is the most spoken language in {s}?",
        ),
        _pairs(
            "France=French; Germany=German; Austria=German; Italy=Italian; Spain=Spanish; Mexico=Spanish;"
            "Argentina=Spanish; Chile=Spanish; Cuba=Spanish; Portugal=Portuguese; Brazil=Portuguese; Russia=Russian;"
            "Egypt=Arabic; Jordan=Arabic; Tunisia=Arabic; Greece=Greek; Turkey=Turkish; Poland=Polish;"
            "Hungary=Hungarian; Sweden=Swedish; Norway=Norwegian; Denmark=Danish; Iceland=Icelandic; Japan=Japanese;"
            "China=Chinese; Vietnam=Vietnamese; Thailand=Thai; Australia=English; Iran=Persian; Finland=Finnish"
        ),
        ("Is {o} the main language of {s}?", "Do most people in {s} speak {o}?"),
        (),
        "In which of these is {o} the main language?",
        "In which of these is {o} not the main language?",
        "",
        "the main language of {s}",
    ),
    "author": Relation(
        (
            "Who wrote {s}?",
            "Who is the author of {s}?",
            "Name the author of {s}.",
            "{s} was written by whom?",
            "By whom is {s}?",
        ),
        _pairs(
            "Hamlet=Shakespeare; Faust=Goethe; Don Quixote=Cervantes; War and Peace=Tolstoy; The Odyssey=Homer;"
            "The Aeneid=Virgil; Ulysses=Joyce; Emma=Austen; Oliver Twist=Dickens; The Trial=Kafka;"
            "Frankenstein=Shelley; Dracula=Stoker; Moby Dick=Melville; Candide=Voltaire; The Raven=Poe"
        ),
        ("Did {o} write {s}?", "Is {s} by {o}?", "Is {o} the author of {s}?"),
        (),
        "Which of these did {o} write?",
        "",
        "",
        "the author of {s}",
    ),
    "legs": Relation(
        (
            "How many legs has a {s}?",
            "A {s} walks on how many legs?",
            "What is the number of legs of a {s}?",
            "Count the legs of a {s}.",
            "On how many legs does a {s} stand?",
        ),
        _pairs(
            "dog=four; cat=four; cow=four; horse=four; sheep=four; lion=four; hen=two; owl=two; duck=two; eagle=two;"
            "ant=six; bee=six; beetle=six; fly=six; wasp=six; spider=eight; scorpion=eight"
        ),
        ("Does a {s} have {o} legs?", "Has a {s} {o} legs?"),
        (),
        "Which of these has {o} legs?",
        "Which of these does not have {o} legs?",
        "",
        "the number of legs of a {s}",
    ),
    "shape": Relation(
        (
            "How many sides has a {s}?",
            "Count the sides of a {s}.",
            "A {s} has how many sides?",
            "What is the number of sides of a {s}?",
            "Of how many sides is a {s} made?",
        ),
        _pairs("triangle=three; square=four; pentagon=five; hexagon=six; heptagon=seven; octagon=eight; decagon=ten"),
        ("Does a {s} have {o} sides?", "Has a {s} {o} sides?"),
        (),
        "Which of these has {o} sides?",
        "",
        "",
        "the number of sides of a {s}",
    ),
    "plural": Relation(
        (
            "What is the plural of {s}?",
            "Name the plural of {s}.",
            "Give the plural of the word {s}.",
            "One {s}, two what?",
            "The plural of {s} is what?",
        ),
        _pairs(
            "mouse=mice; foot=feet; tooth=teeth; goose=geese; child=children; man=men; woman=women; ox=oxen;"
            "knife=knives; leaf=leaves; wolf=wolves; city=cities; baby=babies; box=boxes; life=lives; thief=thieves;"
            "half=halves; louse=lice"
        ),
        ("Is {o} the plural of {s}?", "Is the plural of {s} {o}?"),
        ("Of which word is {o} the plural?", "What is the singular of {o}?", "{o} is the plural of which word?"),
        "Which of these has the plural {o}?",
        "",
        "",
        "the plural of {s}",
    ),
    "past": Relation(
        (
            "What is the past tense of {s}?",
            "Name the past tense of {s}.",
            "Give the past tense of the verb {s}.",
            "Today I {s}. What did I do yesterday: I ...?",
            "The past tense of {s} is what?",
        ),
        _pairs(
            "go=went; see=saw; eat=ate; take=took; write=wrote; give=gave; come=came; run=ran; drink=drank; swim=swam;"
            "sing=sang; fly=flew; know=knew; grow=grew; throw=threw; think=thought; bring=brought; catch=caught;"
            "teach=taught; tell=told; break=broke; speak=spoke; steal=stole; begin=began; keep=kept; drive=drove"
        ),
        ("Is {o} the past tense of {s}?", "Is the past tense of {s} {o}?"),
        ("Of which verb is {o} the past tense?", "{o} is the past tense of which verb?"),
        "Which of these has the past tense {o}?",
        "",
        "",
        "the past tense of {s}",
    ),
    "female": Relation(
        (
            "What is the female counterpart of a {s}?",
            "A {s} has which female counterpart?",
            "Which word means the female counterpart of a {s}?",
            "Name the female counterpart of a {s}.",
            "Which female counterpart has a {s}?",
        ),
        _pairs(
            "king=queen; prince=princess; duke=duchess; emperor=empress; waiter=waitress; actor=actress; ram=ewe;"
            "stallion=mare; hero=heroine; baron=baroness; lion=lioness; tiger=tigress; uncle=aunt; brother=sister;"
            "father=mother; nephew=niece; husband=wife; monk=nun; god=goddess"
        ),
        ("Is {o} the female counterpart of {s}?", "Is the female counterpart of a {s} called a {o}?"),
        (
            "What is the male counterpart of a {o}?",
            "Name the male counterpart of a {o}.",
            "A {o} has which male counterpart?",
        ),
        "Which of these is the male counterpart of a {o}?",
        "",
        "",
        "the female counterpart of a {s}",
    ),
}
