"""Common English words, three to eight letters, for questions about words; made-up ones; and slips of spelling."""

import random

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOWELS = "aeiou"

SHORTEST, LONGEST = 3, 8
REAL = 0.3
"""Share of real words: the others are made up, so that spelling must be read and not remembered."""
NAMED = 0.1
"""Share of words with a capital, as names have."""

WORDS: tuple[str, ...] = tuple(
    """
    acorn actor album amber anchor angle animal ankle answer anvil apple april apron arch arm armor army arrow artist
    ash attic aunt author autumn avenue axe baby bacon badge bag baker balance ball balloon bamboo banana band bank barn
    barrel basin basket bat bath battery bay beach bead beam bean bear beard beast beaver bed bee beetle bell belt bench
    berry bicycle bird biscuit blanket blossom board boat body bolt bone bonnet book boot border bottle bow bowl box boy
    branch brass bread breeze brick bridge broom brother brush bubble bucket bug builder bull bus bush butter button
    cabbage cabin cable cactus cage cake calendar camel camera camp canal candle candy cannon canoe canvas canyon cape
    car caravan card cargo carpet carriage carrot cart castle cat cattle cave ceiling cellar cello chain chair chalk
    chamber channel chapel cheek cheese cherry chest chicken chief child chimney chin church cinema circle circus city
    clay cliff cloak clock cloth cloud clover clown coach coal coast coat cobra coffee coin collar colony comb comet
    compass copper coral cord cork corn corner cotton couch country courage cousin cow crab cradle crane crater crayon
    cream cricket crow crown crystal cube cup curtain cushion dagger daisy dance dart dawn deer dentist desert desk
    diamond diary dinner doctor dog doll dolphin donkey door dove dragon drawer dream dress drill drum duck dust eagle
    ear earth echo egg elbow emerald engine evening fabric face factory falcon family fan farm farmer feather fence fern
    ferry fiddle field fig finger fire fish flag flame flask flea fleet floor flour flower flute fog forest fork fort
    fountain fox frame friend frog frost fruit funnel fur galaxy garden garlic gate giant ginger giraffe girl glacier
    glass globe glove glue goat gold goose gorilla grain grape grass gravel guitar gull gutter hail hair hall hammer
    hammock hand harbor harp harvest hat hawk hazel head heart hedge helmet hen herb hero hill hinge hockey holiday hole
    honey hood hook horn hornet horse hotel house hunter hut ice igloo ink insect iron island ivory jacket jaguar jam
    jar jaw jelly jewel judge juice jungle kennel kettle key king kitchen kite kitten knee knife knight knot label
    ladder lake lamb lamp land lantern lawn lawyer leaf leather lemon letter lettuce library lily lime linen lion lip
    lizard lobster lock log lunch machine magnet mail mammoth map marble market mask mast match meadow meal melon metal
    meteor milk mill miner mirror mist mitten mole monkey moon moose morning moss moth mother motor mountain mouse mouth
    museum music mustard nail napkin neck necklace needle nephew nest net nickel night north nose number nurse nut oak
    oar oasis oat ocean office olive onion opera orange orbit orchard orchid organ ostrich otter oven owl oyster paddle
    page paint palace palm pan panda panther paper parade parcel park parrot parsley pasta pasture path peach peacock
    peanut pear pearl pebble pelican pen pencil penguin pepper petal piano picture pie pig pigeon pillow pilot pine pipe
    pirate planet plant plate plum pocket poem poet pond pony poppy potato pottery prince pump pumpkin puppet puppy
    purse puzzle pyramid quarry quartz queen quill quilt rabbit radio radish raft rail rain rainbow raven razor ribbon
    rice ring river road robin robot rock rocket roof room root rope rose rubber ruby rug saddle sail sailor salad
    salmon salt sand satin saw scarf school scooter sea seal season seed shadow shark shed sheep shelf shell shelter
    shield ship shirt shoe shore shovel shower silk silver singer sister skirt sky sled sleeve slipper smoke snail snake
    snow soap soldier song soup south spade sparrow spice spider spinach sponge spoon spring square squirrel stable
    stamp star station statue steam steel stone storm story stove straw stream street string student sugar summer sun
    swan table tailor target tea teacher temple tennis tent theater thistle thread throne thumb thunder ticket tide
    tiger tin toast tomato tongue tooth torch tower town toy tractor trail train tray tree truck trumpet trunk tulip
    tunnel turkey turtle twig uncle valley vase velvet village violet violin volcano wagon wall walnut walrus wasp water
    wave wax wealth weasel web whale wheat wheel whisker whistle willow wind window wing winter wire witch wolf woman
    wood wool worm wren wrist yarn yogurt zebra zipper
    """.split()
)


def any_word(rng: random.Random, shortest: int = SHORTEST, longest: int = LONGEST) -> str:
    """A word of a length between the bounds, in small letters."""
    if rng.random() < REAL:
        while not shortest <= len(word := rng.choice(WORDS)) <= longest:
            pass
        return word
    length = rng.randint(shortest, longest)
    return "".join(rng.choice(VOWELS if rng.random() < 0.4 else LETTERS) for _ in range(length))


def any_name(rng: random.Random, shortest: int = SHORTEST, longest: int = LONGEST) -> str:
    """A word that now and then has a capital."""
    word = any_word(rng, shortest, longest)
    return word.capitalize() if rng.random() < NAMED else word


def misspelt(rng: random.Random, word: str) -> tuple[str, ...]:
    """Slips: two letters swapped, one left out, one doubled. Swapping equal letters gives the word itself."""
    if len(word) < 2:
        return (word + word,)
    i, dropped, doubled = rng.randrange(len(word) - 1), rng.randrange(len(word)), rng.randrange(len(word))
    return (
        word[:i] + word[i + 1] + word[i] + word[i + 2 :],
        word[:dropped] + word[dropped + 1 :],
        word[: doubled + 1] + word[doubled:],
    )
