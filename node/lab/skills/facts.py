"""Facts about the world, each asked in several ways, so that one way can be held out and the fact still be known."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.lab.skills.task import Task, choice, short

SKILL = "facts"
OPTIONS = 4


@dataclass(frozen=True, slots=True)
class Relation:
    """Ways to ask for the object of a subject (`{s}`), and the pairs known."""

    phrasings: tuple[str, ...]
    pairs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """One pair of one relation."""

    relation: str
    subject: str
    object: str


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
            "From which city is {s} governed?",
        ),
        _pairs(
            "France=Paris; Germany=Berlin; Italy=Rome; Spain=Madrid; Portugal=Lisbon; Austria=Vienna; Poland=Warsaw;"
            "Greece=Athens; Ireland=Dublin; Norway=Oslo; Sweden=Stockholm; Finland=Helsinki; Denmark=Copenhagen;"
            "Belgium=Brussels; Hungary=Budapest; Romania=Bucharest; Bulgaria=Sofia; Russia=Moscow; Turkey=Ankara;"
            "Egypt=Cairo; Kenya=Nairobi; Ghana=Accra; Ethiopia=Addis Ababa; Morocco=Rabat; Japan=Tokyo; China=Beijing;"
            "India=New Delhi; Iran=Tehran; Iraq=Baghdad; Thailand=Bangkok; Vietnam=Hanoi; Cuba=Havana; Peru=Lima;"
            "Chile=Santiago; Argentina=Buenos Aires; Colombia=Bogota; Canada=Ottawa; Mexico=Mexico City;"
            "Australia=Canberra; Iceland=Reykjavik"
        ),
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
            "France=Europe; Germany=Europe; Italy=Europe; Norway=Europe; Poland=Europe; Egypt=Africa; Kenya=Africa;"
            "Ghana=Africa; Morocco=Africa; Nigeria=Africa; Japan=Asia; China=Asia; India=Asia; Vietnam=Asia; Iran=Asia;"
            "Peru=South America; Chile=South America; Brazil=South America; Canada=North America; Mexico=North America"
        ),
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
            "hydrogen=H; helium=He; carbon=C; nitrogen=N; oxygen=O; sodium=Na; magnesium=Mg; aluminium=Al; silicon=Si;"
            "sulfur=S; chlorine=Cl; potassium=K; calcium=Ca; iron=Fe; copper=Cu; zinc=Zn; silver=Ag; tin=Sn; gold=Au;"
            "mercury=Hg; lead=Pb; uranium=U"
        ),
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
            "hot=cold; big=small; fast=slow; light=dark; old=new; wet=dry; open=closed; early=late; full=empty;"
            "hard=soft; strong=weak; rich=poor; near=far; high=low; long=short; up=down; left=right; day=night;"
            "love=hate; win=lose; buy=sell; push=pull; war=peace; first=last; loud=quiet; thick=thin"
        ),
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
            "goose=gosling; swan=cygnet; frog=tadpole; deer=fawn; hen=chick; kangaroo=joey; owl=owlet"
        ),
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
            "Japan=yen; China=yuan; India=rupee; Russia=ruble; Mexico=peso; Brazil=real; Poland=zloty; Sweden=krona;"
            "Denmark=krone; Switzerland=franc; Turkey=lira; Thailand=baht; Vietnam=dong; Hungary=forint; Iran=rial;"
            "Germany=euro; Canada=dollar; Egypt=pound"
        ),
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
            "dog=four; hen=two; spider=eight; ant=six; bee=six; cow=four; crab=ten; owl=two; scorpion=eight; snake=none"
        ),
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
    ),
}

FACTS: tuple[Fact, ...] = tuple(
    Fact(name, subject, answer) for name, relation in RELATIONS.items() for subject, answer in relation.pairs.items()
)


def phrased(phrasing: str, subject: str) -> str:
    """A phrasing about a subject, with the article that its first letter wants and a capital at the beginning."""
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", phrasing.format(s=subject))
    return text[0].upper() + text[1:]


def question(rng: random.Random, fact: Fact) -> Task:
    """One way to ask for a fact: open, or as a choice among objects of the same relation."""
    relation = RELATIONS[fact.relation]
    text = phrased(rng.choice(relation.phrasings), fact.subject)
    if rng.random() < 0.6:
        return short(SKILL, text, fact.object)
    others = sorted(set(relation.pairs.values()) - {fact.object})
    options = (fact.object, *rng.sample(others, min(OPTIONS - 1, len(others))))
    return choice(rng, SKILL, text, options, fact.object)


def ask(rng: random.Random, known: Sequence[Fact] = FACTS) -> Task:
    """One question about one of the facts known."""
    return question(rng, rng.choice(known))
