import type { Random } from '../random.ts';
import { type DgaFamily, family } from './family.ts';

const list = (text: string) => text.trim().split(/\s+/);

const NOUNS = list(`
  ability account action adult advance advice agency amount animal answer area army article aspect attempt attitude
  balance bank base battle beach bird block blood board boat body book bottle box boy brain branch bread brother
  budget building business camera cancer candidate capital card care career case catch cause cell center century chair
  challenge chance change character charge child choice church circle citizen city claim class clothes coach coast code
  coffee collection color committee community company computer concern condition conference control corner cost country
  couple course court cover crime crisis culture customer damage danger data daughter deal death debate decade decision
  defense degree department design desk detail device difference dinner direction director disease distance doctor dog
  door draft dream drive drug edge education effect effort election energy engine evening evidence example exchange
  experience expert face fact family farm father fear field figure film finger fire fish floor focus food foot force
  forest form frame friend function future game garden glass goal government ground group growth guess hair hand heart
  history hole holiday home hope horse hospital hotel house human husband idea image impact income industry interest
  island issue item job judge key kind kitchen knowledge lake land language law lawyer leader league leg letter level
  life light line list load loss lunch machine magazine manager market marriage material matter meal meaning measure
  media meeting member memory message method middle military minute model moment money month morning mother mountain
  mouth movie music name nation nature neck network news night north note number object offer office officer oil option
  order owner page pain paint paper parent park part partner party past path patient pattern peace people person phone
  picture piece place plan plane plant player poem point police policy position post power practice president pressure
  price prison problem process product profile program project property purpose quality quarter question race radio
  rain range rate reason record region report result return review rise risk river road rock role room rule safety
  scale scene school science screen sea season seat section security sense series service shape share ship shop shot
  shoulder side sign sister site size skill skin smile snow society soil soldier song sound source south space speech
  sport spring staff stage standard star station step stock stone store storm story stranger street strength stress
  structure student study style subject success sugar summer surface system table talk target task tax teacher team
  television term test theory thing thought threat ticket time title tomorrow tonight tool top total touch town track
  trade training travel treat tree trial trip trouble truck truth type union unit user value version victim view village
  visit voice wall war water wave way wealth weapon weather week weight west wheel wife wind window winter woman wonder
  word work worker world writer yard year youth zone`);

const VERBS = list(`
  accept achieve act add admit agree allow appear apply argue arrange arrive ask avoid become begin believe belong break
  bring build burn buy call carry cause change choose claim clean clear climb close collect come complain complete
  connect consider contain continue contribute cook copy count cover create cross cry cut damage dance decide deliver
  demand deny depend describe develop die discover discuss divide draw dress drink drive drop eat enable encourage enjoy
  examine exist expect explain express face fail fall fasten feed feel fight fill find finish fit fix fly fold follow
  forget forgive form found gain get give grow handle happen hate hear help hide hit hold hurt identify imagine improve
  include increase indicate inform intend introduce invite jump keep kick kill knock know last laugh lay lead learn leave
  lend let lie like limit link listen live look lose love maintain make manage mark marry mention mind miss move need
  notice obtain occur offer open order owe own pass pay perform pick place play point prefer prepare press prevent
  produce promise protect prove provide publish pull push put raise reach read realize receive recognize record reduce
  refer reflect refuse relate release remain remember remove repair repeat replace reply require rest reveal ring roll
  run save say see seem sell send separate serve settle shake share shine shoot shout show shut sing sit sleep smile
  speak spend stand start state stay steal stick stop study succeed suffer suggest supply support suppose survive swim
  take talk taste teach tell tend test thank think throw touch train travel treat try turn understand use visit vote
  wait walk want warn wash watch wear win wish work worry write`);

const GIVEN_NAMES = list(`
  aaron abigail adrian agnes albert alexandra alice amanda andrea andrew angela anthony arthur ashley barbara benedict
  bernard beverly brandon brenda bridget calvin camille carl caroline catherine cecilia charles charlotte christian
  christine clara clarence claudia clement cornelius crystal cynthia daniel deborah denise dominic dorothy douglas edgar
  edith edward eleanor elizabeth emanuel emily eric ernest esther eugene evelyn felicia florence frances frederick
  gabriel gareth genevieve geoffrey george gerald gloria gregory harold harriet heather henrietta herbert howard hubert
  irene isabel jacqueline jasmine jeanette jennifer jeremy jessica joanna jonathan josephine joyce judith julian
  katherine kenneth kimberly laurence leonard leslie lillian lionel louise lucinda madeleine magdalene marcus margaret
  marjorie martin matilda maurice maximillian melissa michael mildred miranda monica nathaniel nicholas nicole nigel
  oliver pamela patricia penelope percival philip priscilla quentin rachel raymond rebecca reginald richard roderick
  rosalind rosemary rupert samantha sebastian sharon sheila sidney stanley stephanie susanna sylvester teresa theodore
  thomas timothy valentine vanessa veronica victoria vincent violet virginia wallace walter wilfred winifred yvonne`);

const LATIN = list(`
  amor ante arma atque aut bella bene bona caelum carmen causa civis cogito corpus credo cuius cum cura decet deus dies
  domus donec dulce dum ecce ego enim ergo esse etiam facere fama fatum felix ferre fides finis forte frater fuit gaudium
  genus gloria gratia habet hominem honor humanum iam ignis illa imperium inter ipse ipsa iter iura labor lacrimae laus
  lex liber licet locus lumen lux magna mala malum manus mare mater mea mens mihi modo mors mundus natura nec nemo nihil
  nobis nomen non nos nox nunc omnia omnis opus orbis pacem papa paronos pars pater pax peccata perfectam per pietas
  placet plena poena populus post primum princeps pro quae quam quando quid quis quod ratio regina regnum res rex roma
  sacra saepe salus sancta sanguis satis semper sentit sic silva sine sol solus spes spiritus summa sunt super tamen
  tandem tantum tempore tempus tenet terra timor totus tua tuum ubi unde unus urbem usque vale vel veni ventus vera
  verbum via vici victor videre vincit virtus vita vivere vobis volo vox vulnus disceptare facias meritate temere`);

/** Words of several kinds. */
export const WORDS: readonly (readonly string[])[] = [NOUNS, VERBS, GIVEN_NAMES, LATIN];

const phrase = (random: Random, words: readonly string[], least: number) => {
  let text = '';
  while (text.length < least) text += random.pick(words);
  return text;
};

/** Families that make names of words: each alone looks like any other name. */
export const WORD_FAMILIES: readonly DgaFamily[] = [
  family('suppobox-like', 'net ru', (random) => random.pick(NOUNS) + random.pick(VERBS)),
  family('suppobox-names-like', 'net', (random) => {
    const end = random.pick(['son', 'ton', 'er', 'man', '']);
    return random.pick(GIVEN_NAMES) + random.pick(GIVEN_NAMES) + end;
  }),
  family('matsnu-like', 'com', (random) => {
    let text = '';
    for (let i = 0; text.length < 18 + random.int(8); i++) text += random.pick(i % 2 === 0 ? NOUNS : VERBS);
    return text;
  }),
  family('gozi-like', 'com', (random) => phrase(random, LATIN, 12 + random.int(9))),
  family('nymaim2-like', 'com net org info biz in top sh ki pw ps me pro', (random) => {
    return random.pick(NOUNS) + random.pick(['-', '']) + random.pick(NOUNS);
  }),
  family('bigviktor-like', 'art click club com fans futbol in link observer one org page psychology', (random) => {
    return random.pick(VERBS) + random.pick(NOUNS) + random.pick(NOUNS);
  }),
  family('rovnix-words-like', 'com net', (random) => phrase(random, [...NOUNS, ...LATIN], 12 + random.int(10))),
  family('pizd-like', 'com net', (random) => random.pick(NOUNS) + random.pick(NOUNS)),
];
