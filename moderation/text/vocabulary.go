package text

// A vocabulary is a trie of every word the rules know, and of nothing else.
type vocabulary struct {
	child  map[edge]node
	words  []wordID // by node; none where no word ends
	byName map[string]wordID
	info   []word
}

type (
	node   int32
	wordID int32 // 0 is no word
	edge   struct {
		from node
		r    rune
	}
)

type word struct {
	text   string
	length int  // in letters
	alone  bool // a rule stops it wherever it stands, so it is looked for in every disguise
}

func newVocabulary() *vocabulary {
	return &vocabulary{child: map[edge]node{}, words: make([]wordID, 1), byName: map[string]wordID{}, info: make([]word, 1)}
}

// add makes a word known.
func (v *vocabulary) add(text string) wordID {
	if id, ok := v.byName[text]; ok {
		return id
	}
	at, length := node(0), 0
	for _, r := range text {
		length++
		next, ok := v.child[edge{at, r}]
		if !ok {
			next = node(len(v.words))
			v.child[edge{at, r}] = next
			v.words = append(v.words, 0)
		}
		at = next
	}
	id := wordID(len(v.info))
	v.words[at], v.byName[text] = id, id
	v.info = append(v.info, word{text: text, length: length})
	return id
}
