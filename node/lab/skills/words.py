"""Common English words, three to eight letters, for questions about words."""

WORDS: tuple[str, ...] = tuple(
    """
    acorn angle animal answer apple apron arrow autumn badge baker balance bamboo banana barrel basket beach bean bear
    bell bench berry bird blanket board boat bone book bottle bowl box branch bread brick bridge broom brush bucket
    butter button cabin cactus cake camel candle canoe card carpet carrot castle cat chain chair chalk cheese cherry
    circle clay clock cloud clover coat coffee coin comet copper coral corn cotton cousin crab crane cream cricket crow
    crown crystal cup curtain daisy dance desert desk diamond dinner dog dolphin donkey door dragon dream drum duck
    eagle earth echo engine evening fabric falcon farm feather fence fiddle field finger fire fish flag flame flower
    flute forest fork fox friend frog fruit garden garlic gate ghost giant glass glove goat gold goose grape grass
    guitar hammer harbor hat hedge helmet hill honey hook horn horse house ice igloo ink iron island ivory jacket jam
    jar jewel juice jungle kettle key kitchen kite kitten knife ladder lake lamp lantern leaf leather lemon letter
    lily lion lizard lock lunch magnet map maple marble market meadow melon metal milk mirror monkey moon morning moss
    mountain mouse music needle nest night north number nut oak oasis ocean olive onion orange orchard otter oven owl
    oyster paddle paint palace panda paper parrot pasta peach peanut pear pebble pen pencil pepper piano picture pig
    pillow pilot planet plate plum pocket poem pond potato prince pumpkin puppet puzzle quartz queen quill rabbit rain
    raven ribbon rice ring river road robin rocket roof rope rose ruby sail salad salt sand scarf school sea seed shadow
    sheep shell ship shoe silk silver sister sky sled smoke snail snow soap song soup spice spider spoon spring
    square stamp star station steam stone storm story stove street string sugar summer sun swan table tea temple
    tent thunder tiger tomato tower train tree truck trumpet tulip tunnel turtle valley velvet village violin walnut
    water wheat wheel whistle willow window winter wolf wood wool yarn zebra
    """.split()
)
