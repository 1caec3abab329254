package listfile

import (
	"io"
	"iter"

	"go.yaml.in/yaml/v3"
)

// YAML writes documents as list files hold them. Several are apart by "---", and
// are a file each for an agent, which reads one document from a file.
func YAML(w io.Writer, documents iter.Seq[Document]) error {
	before := ""
	for d := range documents {
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		if err := writeYAML(w, d); err != nil {
			return err
		}
		before = "---\n"
	}
	return nil
}

func writeYAML(w io.Writer, d Document) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	f := d.file()
	if len(f.Lists) == 0 {
		f.Lists = nil // which a file with users may leave out
	}
	if err := e.Encode(f); err != nil {
		return err
	}
	if f.Lists == nil && f.Users == nil {
		if _, err := io.WriteString(w, "lists: {}\n"); err != nil {
			return err
		}
	}
	return e.Close()
}

// MarshalYAML reads the object as the YAML that JSON is: that keeps its order.
func (a attributes) MarshalYAML() (any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(a, &document); err != nil {
		return nil, err
	}
	return document.Content[0], nil
}

func (l list) MarshalYAML() (any, error) { return l.content(), nil }

func (e entry) MarshalYAML() (any, error) {
	if e.plain() {
		return e.Text, nil
	}
	var n yaml.Node
	err := n.Encode(e.more())
	n.Style = yaml.FlowStyle
	return &n, err
}
