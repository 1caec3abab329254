package listfile

import (
	"encoding/json"
	"io"
	"iter"
)

// JSON writes documents as apply takes them.
func JSON(w io.Writer, documents iter.Seq[Document]) error {
	before := `{"documents":[` + "\n"
	for d := range documents {
		text, err := json.Marshal(d.file())
		if err != nil {
			return err
		}
		if _, err := w.Write(append([]byte(before), text...)); err != nil {
			return err
		}
		before = ",\n"
	}
	if before != ",\n" { // there was none
		_, err := io.WriteString(w, before+"]}\n")
		return err
	}
	_, err := io.WriteString(w, "\n]}\n")
	return err
}

func (a attributes) MarshalJSON() ([]byte, error) { return a, nil }

func (l list) MarshalJSON() ([]byte, error) { return json.Marshal(l.content()) }

func (e entry) MarshalJSON() ([]byte, error) {
	if e.plain() {
		return json.Marshal(e.Text)
	}
	return json.Marshal(e.more())
}
